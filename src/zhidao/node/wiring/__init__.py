"""The one place that builds adapters and hands rooms to each other."""

from zhidao.node.wiring.node import Node, Settings, build_node

__all__ = ["Node", "Settings", "build_node"]
