# llmux@.service is llmux.service with these changes. It is made by debian/rules, so that the two cannot drift apart.
/^\[Unit\]/a\
# Made from llmux.service. An instance listens on its own socket only.\
Requires=llmux@%i.socket\
After=llmux@%i.socket
s/^Description=.*/&, instance %i/
/^\[Service\]/a\
# which one it is\
Environment=LLMUX_INSTANCE=%i\

# systemd removes this folder when the instance stops, and the others go on
s|^RuntimeDirectory=llmux$|&/%i|
/^\[Install\]/a\
Also=llmux@%i.socket
