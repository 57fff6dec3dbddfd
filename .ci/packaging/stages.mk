# The stages of .ci/package: what each waits for, and what it runs. PARTS: this folder; WORK: where everything is put; HERE: the
# codename of this machine's Debian; RELEASE: that of the one to build for, when it is another.

SUITE := $(or $(RELEASE),$(HERE))
STAGE = @$(PARTS)/stage $(WORK) $@ $(PARTS)

STAGES := lintian documents unbooted booted autopkgtest piuparts
# what is the same for every release
ifeq ($(SUITE),$(HERE))
STAGES += same-bytes examples
endif

.PHONY: all build rootfs packages $(STAGES)
all: $(STAGES)

# what comes first on the longest way stands first
build:
	$(STAGE)/build $(WORK) $(if $(filter-out $(HERE),$(SUITE)),$(SUITE))

rootfs:
	$(STAGE)/rootfs $(SUITE) $(WORK)/rootfs systemd systemd-sysv dbus ca-certificates curl

# ready to be installed: two versions, and what they depend on in the system's own cache
packages: build rootfs
	$(STAGE)/packages $(WORK)

booted unbooted autopkgtest piuparts: packages
	$(STAGE)/$@ $(WORK)

same-bytes examples lintian documents: build
	$(STAGE)/$@ $(WORK)
