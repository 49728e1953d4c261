"""The commands that there are, and the parser of one or of none of them."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from zhidao import __version__
from zhidao.cli.console.parsing import Parser, share_examples

# Command, module that adds its arguments and runs it, one line for the overview.
COMMANDS: Final = (
    ("demo", "operations.demo", "carry one consignment from satellite signal to settled payment"),
    ("serve", "operations.serve", "run a node: API, page, database, bus"),
    ("verify", "trust.verify", "check a proof file without a node, database or network"),
    ("trust", "trust.command", "trust lists; logs, witnesses, titles, credentials, DIDs, proofs"),
    ("peer", "exchange.peer", "admit the nodes that this one exchanges documents with"),
    ("exchange", "exchange.command", "send to other nodes, see what came, carry by hand, verify"),
    ("witness", "trust.witness", "check that a quorum of witnesses vouches for a log's head"),
    ("fraud", "trust.fraud", "check the proof that a log or a witness told two histories"),
    ("login", "operations.login", "sign in at a node once, for all commands that follow"),
    ("logout", "operations.logout", "end a sign-in and forget it"),
    ("profile", "operations.profile", "the nodes at which you are signed in: list, show, use"),
    ("completion", "operations.completion", "complete commands by Tab in bash, zsh and fish"),
    ("man", "operations.man", "write the pages of the manual"),
    ("doctor", "operations.doctor", "say what is wrong on this machine and what to type"),
    ("config", "operations.config", "show every setting and where its value comes from"),
    ("backup", "operations.backups.backup", "write everything but the keys into one archive"),
    ("restore", "operations.backups.restore", "fill an empty database from an archive"),
    (
        "drill",
        "operations.backups.drill",
        "restore the newest backup beside the node, and examine it",
    ),
    ("archive", "storage.archive", "days that a node archived: list, verify without it"),
    ("store", "storage.store", "spread growing tables over the machines of a Citus database"),
    ("party", "operations.party", "whose keys a node keeps: list, show, add"),
    ("people", "operations.people", "who may sign in: make, agree, reset, sign out, withdraw"),
    ("token", "operations.token", "by what programs are known: make, agree, withdraw"),
    ("bank", "finance.bank", "which parties may keep accounts: admit, list"),
    ("account", "finance.account", "accounts of a bank's customers: open, list"),
    ("deposit", "finance.deposit", "money that a bank brings in for a customer: add, list"),
    ("deal", "finance.deal", "money on conditions: open, show, list, give the title"),
    ("title", "trust.title_acts", "issue a title, transfer, endorse, surrender, return, reject"),
    ("arrival", "positioning.arrival", "wait for a consignment at a place; what came of it"),
    ("declaration", "trade.declaration", "list; customs decide, agencies answer"),
    ("consignment", "trade.consignment", "list, show; compare the papers, hand over to a peer"),
    ("terminal", "devices.terminal", "devices that report to a node: add, invite, list, show"),
    ("devices", "devices.frames", "explain what a device sent, field by field, without a node"),
    ("shortmessage", "connectivity.short_message", "BeiDou short messages: explain, send"),
    ("network", "connectivity.network", "networks of a node: status, locate; coverage of a route"),
    ("order", "industry.order", "production orders and their lots: open, finish, list"),
    ("industry", "industry.goods_trace", "EPCIS events and traces; judge a GS1 Digital Link"),
    ("ha", "availability.ha", "one node on three machines: plan them, say what is wrong"),
    ("roles", "operations.roles", "processes of a node: who does what, since when"),
    ("search", "operations.search", "find what begins with a name, among what you may see"),
    ("waiting", "operations.waiting", "what waits for you at a node"),
    ("notifications", "operations.notifications", "what you are told of, when and where"),
    ("node", "operations.node", "settings, jobs, certificates, backups, growth of a node"),
    ("seal", "devices.seal", "seals on containers: put, check, list"),
    ("api", "operations.api", "descriptions of what a node answers and tells, for programs"),
    ("clock", "operations.clock", "say that a node's clock is right after it jumped"),
    ("log", "operations.log", "go on under a new log key after a recovery"),
    ("tls", "operations.tls", "the node's own authority: make, show, trust, renew"),
    ("keys", "operations.keys", "export the node's keys, sealed; list them"),
    ("positioning", "positioning", "from recordings of satellites to positions, tables and plots"),
    ("finance", "finance", "replay a ledger, net obligations, screen names, check messages"),
    ("trade", "trade", "make, check and compare trade documents; origin, duty, rule packs"),
    ("insight", "insight", "report what was proven, recomputed from the log"),
)


def parser_of(chosen: str) -> Parser:
    """The parser; only the chosen command's module is imported, so that help answers at once."""
    parser = Parser(
        prog="zhidao",
        description="From raw satellite signal to settled payment, every step verifiable.",
        epilog="zhidao COMMAND --help shows examples.",
    )
    parser.add_argument("--version", action="version", version=f"zhidao {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, module, line in COMMANDS:
        command = commands.add_parser(name, help=line, description=line)
        if name == chosen:
            import_module(f"zhidao.cli.{module}").add_arguments(command)
            share_examples(command)
    return parser
