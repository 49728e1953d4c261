"""Prometheus figures of the node: requests, log, relay, and what each service is doing."""

from __future__ import annotations

from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from zhidao.node.operations.loop_watch import Stall

# A caller may send any method, so what is kept at hand has an end.
_KNOWN_MAX: Final = 2_000


class Metrics:
    """The node's own registry; nothing is registered globally."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "zhidao_http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "zhidao_http_request_seconds",
            "Time to answer",
            ["route"],
            registry=self._registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        )
        self.leaves = Gauge("zhidao_log_leaves", "Leaves in the log", registry=self._registry)
        self.waiting = Gauge(
            "zhidao_relay_waiting_events",
            "Events that are not in the log and on the bus yet",
            registry=self._registry,
        )
        self.relayed = Counter("zhidao_relay_events", "Events published", registry=self._registry)
        self.dead = Counter(
            "zhidao_dead_letters", "Messages given up", ["consumer"], registry=self._registry
        )
        self.service_up = Gauge(
            "zhidao_service_up", "Whether a service answers", ["service"], registry=self._registry
        )
        self.ready = Gauge(
            "zhidao_ready", "Whether the node can serve, write and sign", registry=self._registry
        )
        self.alarms = Gauge(
            "zhidao_alarm",
            "Alarms that stand, by their code before a colon; severity: critical or warning",
            ["code", "severity"],
            registry=self._registry,
        )
        self.signed_at = Gauge(
            "zhidao_log_checkpoint_timestamp_seconds",
            "When the newest head of the log was signed, in Unix time",
            registry=self._registry,
        )
        self.backup_at = Gauge(
            "zhidao_backup_timestamp_seconds",
            "When the newest backup was made, in Unix time; 0 while there is none",
            registry=self._registry,
        )
        self.uptime = Gauge(
            "zhidao_uptime_seconds", "How long this process has run", registry=self._registry
        )
        self.free_bytes = Gauge(
            "zhidao_disk_free_bytes",
            "Free bytes on the disk of the data folder",
            registry=self._registry,
        )
        self.stalls = Counter(
            "zhidao_event_loop_stalls",
            "Times that the event loop stood still over 250 ms, by cause: own, or starved",
            ["cause"],
            registry=self._registry,
        )
        self.stalled_seconds = Counter(
            "zhidao_event_loop_stalled_seconds",
            "Seconds of the event loop's stalls, by cause",
            ["cause"],
            registry=self._registry,
        )

    def stall(self, stall: Stall) -> None:
        """Counts a stall of the event loop."""
        cause = "own" if stall.is_own else "starved"
        self.stalls.labels(cause).inc()
        self.stalled_seconds.labels(cause).inc(stall.seconds + stall.starved_s)

    def request(self, scope: Any, status: int, seconds: float) -> None:
        """Counts one answered request under its route, never under its raw path."""
        key = (scope["method"], str(scope.get("path_template") or "other"), status)
        known = self._known.get(key)
        if known is None:
            method, route, _ = key
            counter = self.requests.labels(method, route, str(status))
            known = counter, self.seconds.labels(route)
            if len(self._known) < _KNOWN_MAX:
                self._known[key] = known
        known[0].inc()
        known[1].observe(seconds)

    def render(self) -> bytes:
        """The text form that Prometheus reads."""
        return generate_latest(self._registry)
