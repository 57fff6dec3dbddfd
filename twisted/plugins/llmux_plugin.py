"""How twistd learns of llmux.

Twisted imports this file whenever it lists its plugins, so it names the daemon's module and loads none of it.
"""

from twisted.application.service import ServiceMaker

llmux = ServiceMaker("llmux", "llmux.tap", "One daemon between LLM clients and LLM providers.", "llmux")
