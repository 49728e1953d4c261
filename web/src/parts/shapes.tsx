// The shapes of the page, drawn by us: each always stands beside its word.

export type Shape = "done" | "next" | "later" | "refused" | "withheld";

/** A milestone's mark: disc with tick, ring with dot, small ring, square with cross. */
export function MilestoneMark({ state }: { state: Shape }) {
  return (
    <svg class={`mark mark-${state}`} viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      {state === "done" && (
        <>
          <circle cx="12" cy="12" r="10" class="fill" />
          <path d="M7.2 12.4l3.2 3.2 6.4-7" class="cut" />
        </>
      )}
      {state === "next" && (
        <>
          <circle cx="12" cy="12" r="9.5" class="ring" />
          <circle cx="12" cy="12" r="4.5" class="fill" />
        </>
      )}
      {state === "later" && <circle cx="12" cy="12" r="6" class="ring" />}
      {state === "withheld" && <circle cx="12" cy="12" r="6" class="ring dashed" />}
      {state === "refused" && (
        <>
          <rect x="2.5" y="2.5" width="19" height="19" class="fill" />
          <path d="M7.5 7.5l9 9M16.5 7.5l-9 9" class="cut" />
        </>
      )}
    </svg>
  );
}

export type MarkName = "signed_by_terminal" | "bound_to_goods" | "recomputed" | "corroborated" | "inside" | "inside_open_sky_model" | "claimed";

/** The marks of an arrival, told apart by shape: pen stroke, two links, equals, two circles, dot in ring. */
export function ArrivalMark({ name }: { name: MarkName }) {
  return (
    <svg class="mark mark-shape" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      {name === "claimed" && <circle cx="12" cy="12" r="8.5" class="ring dashed" />}
      {name === "signed_by_terminal" && <path d="M4 15c4-8 6-8 6-3s2 4 4 0 3-3 6 0M4 20h16" class="ring" />}
      {name === "bound_to_goods" && (
        <>
          <rect x="2.5" y="8" width="11" height="8" rx="4" class="ring" />
          <rect x="10.5" y="8" width="11" height="8" rx="4" class="ring" />
        </>
      )}
      {name === "recomputed" && <path d="M4 9h16M4 15h16" class="ring" />}
      {name === "corroborated" && (
        <>
          <circle cx="9" cy="12" r="6.5" class="ring" />
          <circle cx="15" cy="12" r="6.5" class="ring" />
        </>
      )}
      {name === "inside_open_sky_model" && (
        <>
          <circle cx="12" cy="12" r="9.5" class="ring" stroke-dasharray="3 2.5" />
          <circle cx="12" cy="12" r="3" class="ring" />
        </>
      )}
      {name === "inside" && (
        <>
          <circle cx="12" cy="12" r="9.5" class="ring" />
          <circle cx="12" cy="12" r="3" class="fill" />
        </>
      )}
    </svg>
  );
}

/** A seal's square stamp: empty, ticked, or crossed. */
export function Stamp({ outcome }: { outcome: "unchecked" | "holds" | "fails" | "old" }) {
  return (
    <svg class={`stamp stamp-${outcome}`} viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <rect x="1.5" y="1.5" width="17" height="17" rx="2" class="frame" />
      {(outcome === "holds" || outcome === "old") && <path d="M5.5 10.3l3 3 6-6.4" class="sign" />}
      {outcome === "fails" && <path d="M6 6l8 8M14 6l-8 8" class="sign" />}
      {outcome === "unchecked" && <path d="M6 10h8" class="sign" />}
    </svg>
  );
}
