"""The one place that builds adapters and hands rooms to each other."""

from zhidao.node.wiring.node import Node, build_node
from zhidao.node.wiring.settings import Settings

__all__ = ["Node", "Settings", "build_node"]
