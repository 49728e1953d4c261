"""What runs the image asks for no more than it needs, and for what the image is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import yaml

import zhidao

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "container"
IMAGE = f"localhost/zhidao:{zhidao.__version__}"


def _constant(name: str) -> Any:
    tree = ast.parse((ROOT / "build_steps" / "package" / "oci.py").read_text())
    [value] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
    ]
    assert value is not None
    return ast.literal_eval(value)


def test_compose_runs_the_image_without_privilege() -> None:
    node = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["node"]
    user = _constant("USER")
    assert node["image"] == IMAGE
    assert node["user"] == f"{user}:{user}"
    assert (node["read_only"], node["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in node["security_opt"]
    # A name that the node looks for among its credentials.
    assert node["secrets"] == ["zhidao-passphrase"]
    assert node["volumes"] == ["data:/data"]


def test_the_manifests_run_one_node_without_privilege() -> None:
    service, node = yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
    spec = node["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert service["spec"]["selector"] == node["spec"]["template"]["metadata"]["labels"]
    # Two over one volume would take the data from each other.
    assert (node["kind"], node["spec"]["replicas"]) == ("StatefulSet", 1)
    assert container["image"] == IMAGE
    assert spec["securityContext"]["runAsUser"] == _constant("USER")
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    assert mounted == {"/data", "/tmp", "/run/zhidao"}
