"""Kinds of evidence, and by which names files of a repository are known as one of them.

A name says that the file is there. What stands in it, and whether anybody lives by it, it says not.
"""

from __future__ import annotations

import re
from typing import Final

# Where such files are looked for: at the top, and in the folders that forges read.
_PLACES: Final = r"(?:docs?/|\.github/|\.gitlab/|\.forgejo/|\.gitea/)?"
_END: Final = r"(?:[._-][\w.-]*)?"


def _named(stem: str) -> str:
    return rf"{_PLACES}(?:{stem}){_END}"


# Kind -> what the whole path is, small letters. The first path in order is taken.
_PATTERNS: Final = {
    "readme": _named("readme"),
    "contributing": _named("contributing|contribute"),
    "code_of_conduct": _named("code[_-]of[_-]conduct"),
    "security_policy": _named("security") + r"|\.well-known/security\.txt",
    "governance": _named("governance"),
    "maintainers": _named("maintainers|codeowners|owners"),
    "changelog": _named("changelog|changes|news|history|releases?|release[_-]notes"),
    "privacy_policy": _named("privacy|privacy[_-]policy"),
    "content_policy": _named("content[_-]policy|moderation|acceptable[_-]use"),
    "support": _named("support"),
    "ci": r"\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.circleci/config\.yml|jenkinsfile"
    r"|\.travis\.yml|azure-pipelines\.yml|\.woodpecker(?:/[^/]+)?\.ya?ml|\.ci/[^/]+",
    "tests": r"(?:.+/)?(?:tests?|spec|specs|__tests__)/.+|(?:.+/)?(?:test_[^/]+|[^/]+_test)\.\w+",
    "dependency_list": r"(?:pyproject\.toml|setup\.cfg|setup\.py|requirements[^/]*\.txt"
    r"|requirements/[^/]+\.(?:in|txt)|package\.json|cargo\.toml|go\.mod|pom\.xml|gemfile"
    r"|build\.gradle(?:\.kts)?|composer\.json|mix\.exs|[^/]+\.csproj|conanfile\.\w+|vcpkg\.json)",
    "lock_file": r"(?:.+/)?(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|cargo\.lock"
    r"|poetry\.lock|uv\.lock|pdm\.lock|go\.sum|gemfile\.lock|composer\.lock)",
    "sbom": r"(?:.+/)?(?:[^/]*\.(?:spdx|cdx)(?:\.(?:json|xml|ya?ml|rdf))?|[^/]*\bsbom\b[^/]*"
    r"|bom\.(?:json|xml))",
    "documentation": r"docs?/.+\.(?:md|rst|adoc|txt|html|ipynb)|doc(?:umentation)?/.+\.\w+",
    "architecture": r"(?:.+/)?(?:architecture|design)(?:[._-][^/]*)?|docs?/adr/.+",
    "threat_model": r"(?:.+/)?(?:threats?|threat[_-]?model)(?:[._-][^/]*)?",
    "api_description": r"(?:.+/)?(?:openapi|swagger|asyncapi)[^/]*\.(?:json|ya?ml)"
    r"|(?:.+/)?[^/]+\.(?:proto|wsdl|raml|graphql)",
    "schema": r"(?:.+/)?[^/]+\.(?:schema\.json|xsd|avsc)|(?:.+/)?schemas?/.+\.json",
    "container_recipe": r"(?:.+/)?(?:dockerfile|containerfile)(?:[._-][^/]*)?",
    "deployment_files": r"(?:.+/)?(?:docker-compose[^/]*\.ya?ml|compose\.ya?ml|chart\.yaml"
    r"|kustomization\.ya?ml|[^/]+\.tf|[^/]+\.service)|(?:deploy|deployment|ansible|helm|k8s)/.+",
    "migrations": r"(?:.+/)?migrations?/.+\.(?:sql|py|rb|js|ts|php|xml|ya?ml)",
    "translations": r"(?:.+/)?(?:locales?|i18n|translations?|l10n|lang)/.+|(?:.+/)?[^/]+\.pot?",
    "issue_guide": r"\.(?:github|gitlab|gitea|forgejo)/issue_templates?(?:/.+|\..+)?",
    "ignore_list": r"\.gitignore|\.gitleaks\.toml|\.pre-commit-config\.yaml",
    "publiccode": r"publiccode\.ya?ml",
    "reuse_toml": r"(?:.+/)?reuse\.toml",
}
# A path may hold a line feed.
FILE_PATTERNS: Final = {kind: re.compile(pattern, re.DOTALL) for kind, pattern in _PATTERNS.items()}
OF_ANY_KIND: Final = re.compile("|".join(f"(?:{each})" for each in _PATTERNS.values()), re.DOTALL)

# What is found in another manner than by a file's name.
LICENCE_KINDS: Final = frozenset(
    (
        *("licence_text", "licence_open", "licence_place", "licences_folder", "copyright_notice"),
        *("licences_all_used", "licences_per_file", "licence_headers", "licence_expressions"),
        "holders_per_file",
    )
)
TREE_KINDS: Final = frozenset(("no_programs", "programs"))
# What lists of parts say: those that were given, and the lock files of the tree.
COMPONENT_KINDS: Final = frozenset(("components", "licences_to_look_at"))
HISTORY_KINDS: Final = frozenset(("history", "tags", "signed_off"))
PUBLICCODE: Final = "publiccode:"


def is_kind(name: str) -> bool:
    """Whether evidence of such a kind is looked for at all."""
    return (
        name in FILE_PATTERNS
        or name in LICENCE_KINDS
        or name in HISTORY_KINDS
        or name in TREE_KINDS
        or name in COMPONENT_KINDS
        or (name.startswith(PUBLICCODE) and len(name) > len(PUBLICCODE))
    )
