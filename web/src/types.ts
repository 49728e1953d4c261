// What the node answers. Amounts are minor units, instants RFC 3339 text, places degrees WGS 84.

export interface Session {
  signed_in: boolean;
  name: string;
  role: string;
  party: string;
  first_start: boolean;
  demo: boolean;
  organisation?: string;
  passkey?: PasskeyAsk | null;
  /** By whom else people may sign in, as they call it. */
  provider?: string;
  /** Pages and acts that this role is not offered, each with the roles that are. */
  closed?: Record<string, string[]>;
}

export interface IdentityRow {
  identity: string;
  issuer: string;
  claim: string;
  value: string;
  linked_at: string;
}

export interface PasskeyAsk {
  ticket: string;
  options: Record<string, unknown>;
}

export interface PasskeyRow {
  passkey: string;
  label: string;
  host: string;
  created_at: string;
  used_at: string;
}

export interface PersonRow {
  name: string;
  party: string;
  role: string;
  agreed: string;
  waits: string;
  state: "enters" | "invited" | "waits" | "reset" | "withdrawn";
  passkeys?: number;
}

export interface SessionRow {
  session: string;
  began_at: string;
  ends_at: string;
  block: string;
  here: boolean;
}

export interface InvitationMade {
  name: string;
  path: string;
  expires_at: string;
}

export interface InvitationSeen {
  name: string;
  party: string;
  role: string;
  organisation: string;
  expires_at: string;
  counts: boolean;
}

export interface TokenRow {
  id: string;
  made_by: string;
  party: string;
  role: string;
  label: string;
  created_at: string;
  revoked: boolean;
  agreed: string;
}

export interface PartyRow {
  party: string;
  name: string;
  trade_role: string;
  country: string;
}

/** An act of administration; `leaf`: its index in the log, null while it is on its way. */
export interface AdministrationAct {
  id: string;
  act: string;
  at: string;
  subject: string;
  party: string;
  by: string;
  person: string;
  leaf: number | null;
}

export interface Amount {
  minor: number;
  currency: string;
  exponent: number;
}

export type LonLat = [number, number];
export interface Position {
  lon: number;
  lat: number;
  at: string;
}

export type MilestoneKey =
  | "factory"
  | "papers"
  | "gate"
  | "border"
  | "arrival"
  | "title"
  | "payment";
export type MilestoneState = "done" | "next" | "later" | "refused" | "withheld";

export type Args = Record<string, string | number | boolean>;

/** What an instant counts by; the page names it beside every instant. */
export type Scale = "clock" | "scenario" | "satellite" | "speaker";

/** A reason as a stable code with parameters; `text` is the English sentence that was signed. */
export interface Told {
  code: string;
  args: Args;
  text: string;
}

export interface Milestone {
  key: MilestoneKey;
  state: MilestoneState;
  at: string;
  scale: Scale;
  recorded_at: string;
  event: string;
  sentence_key: string;
  sentence_args: Args;
  /** So many of so many containers; both 0 where there is one. */
  there: number;
  of: number;
}

/** One of several containers of a consignment. */
export interface ContainerInfo {
  container: string;
  terminal: string;
  seal: string;
  state: "open" | "sealed" | "checked" | "not_proven" | "arrived";
  observed_at: string;
  event: string;
  told: Told | null;
  position: Position | null;
  track: LonLat[];
}

export interface PartyInfo {
  party: string;
  name: string;
  trade_role: string;
  country: string;
}

export interface SiteInfo {
  name: string;
  lon: number;
  lat: number;
  radius_m: number;
  outline: LonLat[];
}

/** Whose move it is, and for what. */
export interface Move {
  key: string;
  party: string;
}

/** One act that waits for the reader. */
export interface WorkItem {
  kind: "move" | "approval" | "screening" | "declaration" | "agreement";
  act: string;
  subject: string;
  label: string;
}

export interface Worklist {
  items: WorkItem[];
  more: boolean;
}

export interface RoadSummary {
  consignment: string;
  label: string;
  simulated: string[];
  time_scale: Scale;
  told: Told | null;
  state: "under_way" | "paid" | "refused";
  reason: string;
  sentence: string;
  waits_for: Move | null;
  moves: Move[];
  amount: Amount;
  route: LonLat[];
  position: Position | null;
  site: SiteInfo | null;
  parties: PartyInfo[];
  milestones: Milestone[];
  /** Whether the place of arrival was proven; a consignment's own page has the whole arrival. */
  is_proven?: boolean;
}

/** A consignment in the overview of the corridor; `at`: the crossing where the goods are now. */
export interface CorridorRoad extends RoadSummary {
  stones: [MilestoneKey, MilestoneState][];
  ends: LonLat[];
  is_proven: boolean;
  at: string;
  money: string;
}

export interface CrossingTime {
  crossing: string;
  side: string;
  seen: number;
  here: number;
  middle_s: number | null;
  slow_s: number | null;
  within_s: number;
  simulated: number;
}

export interface Held extends Amount {
  consignments: number;
  simulated: number;
}

export interface Corridor {
  roads: CorridorRoad[];
  crossings: CrossingTime[];
  held: Held[];
  paid: Held[];
  more: boolean;
}

export interface RoadStep {
  n: number;
  key: string;
  state: MilestoneState;
  at: string;
  events: string[];
}

export interface DocumentInfo {
  kind: string;
  number: string;
  digest: string;
  media_type: string;
  valid: boolean;
  rules: string[];
  credential: string;
  recorded_at: string;
  event: string;
}

export interface SideInfo {
  paper: string;
  field: string;
  value: string;
  line: string;
  part: string;
}

export interface FindingInfo {
  rule: string;
  verdict: string;
  told: Told;
  left: SideInfo;
  right: SideInfo;
}

export interface TitleInfo {
  title: string;
  registry: string;
  chain_id: number;
  holder_party: string;
  beneficiary_party: string;
  custody: string;
  moves: { action: string; at: string; holder_party: string; event: string }[];
}

/** What may be done with a title now, and whose move it is. */
export interface PossibleActs {
  title: string;
  state: "held" | "divided" | "in_custody" | "returned" | "ended";
  seen: number;
  acts: string[];
  key_here: boolean;
  movers: string[];
  holder: string;
  beneficiary: string;
  nominee: string;
  issuer: string;
  custody: string;
}

export interface MoneyInfo {
  payer: string;
  payee: string;
  payer_bank: string;
  payee_bank: string;
  amount_minor: number;
  currency: string;
  exponent: number;
  state: "none" | "reserved" | "paid" | "released_back";
}

export interface ArrivalInfo {
  state: "proven" | "not_proven";
  reason: string;
  sentence: string;
  told: Told | null;
  lat: number;
  lon: number;
  protection_m: number;
  observed_at: string;
  scale: Scale;
  satellites: number;
  epochs: number;
  risk_ppb: number;
  marks: {
    signed_by_terminal: boolean;
    bound_to_goods: boolean;
    recomputed: boolean;
    corroborated_by: string[];
    disagreed_by: string[];
    inside_risk_ppb: number;
    inside_open_sky_model_ppb: number;
  };
  event: string;
}

export interface NetworkInfo {
  verdict: string;
  lat: number;
  lon: number;
  radius_m: number;
  reason: string;
  told: Told | null;
  event: string;
}

export interface Said {
  id: string;
  type: string;
  occurred_at: string;
  scale: Scale;
  recorded_at: string;
  witnessed_at: string;
  asserted_by: { party: string; name: string; fingerprint: string };
  recorded_by: { party: string; name: string; fingerprint: string };
  custodian: boolean;
  open: boolean;
  index: number | null;
  summary_key: string;
  args: Args;
}

export interface Road extends RoadSummary {
  track: LonLat[];
  steps: RoadStep[];
  documents: DocumentInfo[];
  papers: { agree: boolean; checks: number; findings: FindingInfo[] } | null;
  title: TitleInfo | null;
  money: MoneyInfo | null;
  arrival: ArrivalInfo | null;
  network: NetworkInfo | null;
  containers: ContainerInfo[];
  conditions: { name: string; state: "met" | "waits" | "failed"; because: string; told: Told | null }[];
  said: Said[];
}

/** One satellite at an epoch: thousandths of degrees and of dB-Hz, millimetres. */
export interface SkySatellite {
  satellite: string;
  azimuth_mdeg: number;
  elevation_mdeg: number;
  residual_mm: number;
  strength_mdbhz: number;
  used: boolean;
  excluded: boolean;
}

export interface TrackFix {
  at: string;
  reason: string;
  protection_mm: number;
  room_mm: number;
  /** Rounded up; -1 where the bound alone decides. */
  outside_ppb: number;
  satellites: number;
  sky: SkySatellite[];
}

export interface Track {
  evidence: string;
  window: string;
  navigation: string;
  software: string;
  site: { name: string };
  not_before: string;
  not_after: string;
  risk_ppb: number;
  decision: string;
  observed_at: string;
  stretch_from: string;
  stretch_until: string;
  epochs: number;
  positions: number;
  mask_mdeg: number;
  stretch_s_min: number;
  simulated: boolean;
  fixes: TrackFix[];
}

/** A field of an entry, with its names; `of` is the party that it is a field of. */
export interface EntryField {
  path: string;
  en: string;
  zh: string;
  of_en: string;
  of_zh: string;
  needed: boolean;
  otherwise_en: string;
  otherwise_zh: string;
  choices: string[];
  suggested: string;
}

export interface Trouble {
  path: string;
  sentence: string;
  code: string;
  remedy: string;
}

/** What a place is called in both languages; empty where it has no name. */
export interface PlaceName {
  en: string;
  zh: string;
}

export interface CrossFinding {
  rule: string;
  answer: string;
  sentence: string;
  about: string;
  about_of: string;
  note: string;
  note_of: string;
  left: string;
  right: string;
  left_at: PlaceName;
  right_at: PlaceName;
  asked_by: string[];
}

export interface MadeDocument {
  kind: string;
  en: string;
  zh: string;
  number: string;
  sha256: string;
}

/** What a document of the exchange is by its bytes. */
export interface DocumentLook {
  en: string;
  zh: string;
  number: string;
  verdict: string;
  summary: string;
  media_type: string;
  size: number;
}

/** A paper that an entry needs, or has not though its number was entered, with the reason. */
export interface NeededPaper {
  kind: string;
  en: string;
  zh: string;
  cause: string;
  cause_of: string;
}

export interface EntryProgress {
  troubles: Trouble[];
  missing: string[];
  road: string[];
  needed: number;
  papers: NeededPaper[];
  left_out: NeededPaper[];
  possible: string[];
  apart: string[];
  documents: MadeDocument[];
  agree: number;
  findings: CrossFinding[];
  unasked: string[];
}

export interface Draft {
  name: string;
  saved_at: string;
  fields: Record<string, string>;
}

export interface LookedFile {
  name: string;
  kind: string;
  en: string;
  zh: string;
  number: string;
  unmapped: string[];
  misfits: { place: string; seen: string; wanted: string }[];
  trouble: Trouble | null;
}

export interface LookedFolder {
  files: LookedFile[];
  agree: number;
  findings: CrossFinding[];
  unasked: string[];
}

export interface Declaration {
  declaration: string;
  version: number;
  kind: string;
  declarant: string;
  customs: string;
  agencies: string[];
  reason: string;
  status: string;
  ended_by: string;
  risk: { channel: string; score: number; at_random: boolean } | null;
  reasons: { rule: string; fact: string; value: string; weight: number; reason: string; reason_zh: string }[];
  answers: { agency: string; answer: string; reason: string }[];
  /** Consignments that this very release let go. */
  roads?: string[];
}

export interface Rerun {
  version: number;
  channel: string;
  score: number;
  same: boolean;
}

export interface Health {
  version: string;
  uptime_s: number;
  services: { name: string; state: string; detail: string; code: string }[];
  log: { size: number; root: string; checkpoint_at: string };
  alarms: { code: string; sentence: string; remedy: string; args: Args }[];
  now: string;
  scenario_at: string;
}

/** A document on its way to another node, or from one: what both sides know of it. */
interface Exchanged {
  document: string;
  from_party: string;
  to_party: string;
  consignment: string;
  sequence: number;
  kind: string;
  media_type: string;
  digest: string;
  content: string;
  state: string;
  outcome: string;
  code: string;
  reason: string;
}

export interface Dispatch extends Exchanged {
  recipient: string;
  attempts: number;
  created_at: string;
}

export interface Delivery extends Exchanged {
  sender: string;
  received_at: string;
}

/** What this node witnesses, who witnesses it, and the proven frauds. */
export interface WitnessState {
  keys: string[];
  mirror_keys: string[];
  logs: { origin: string; size: number; cosigned_at_s: number; mirrored: number; convicted: boolean; unresolved: string }[];
  corridors: { name: string; witnessed: boolean; reason: string; by: string[]; witnessed_at_s: number }[];
  problems: Record<string, string>;
  frauds: string[];
  brought: { url: string; corridors: string[]; leaves: number; cosigned: number; cosigned_at_s: number; problem: string; failures: number }[];
}

/** A leaf of the log with its way to a signed head. */
export interface LeafAnswer {
  index: number;
  leaf: string;
  size: number;
  inclusion: string[];
  checkpoint: string;
}

export interface TitleRow {
  title: string;
  consignment: string;
  holder: string;
  holder_party: string;
  active: boolean;
}

export interface Endorsement {
  number: number;
  action: string;
  at: string;
  signer: string;
  signer_party: string;
  holder: string;
  holder_party: string;
  remark: string;
}

/** A terminal in a list; without a key what it says is claimed only. */
export interface TerminalRow {
  terminal: string;
  phone: string;
  owner: string;
  keyed: boolean;
  connected: boolean;
  state: "new" | "invited" | "enrolled" | "suspended" | "retired";
  invited_until: string;
  heard_at: string;
  point: { latitude_udeg: number; longitude_udeg: number } | null;
  refused: { reason: string; sentence: string; at: string } | null;
}

export interface SealRow {
  seal: string;
  container: string;
  consignment: string;
  terminal: string;
  sealed_by: string;
  checked_by: string;
  bound: boolean;
}

export interface OrderRow {
  order: string;
  gtin: string;
  quantity: number;
  mine: boolean;
  lots: { lot: string; serials: number; within_limits: boolean; samples: number; simulated: boolean; verdict: "typed" | "within" | "outside" | "not_shown" }[];
}

/** A one-time link that this node made; what stands behind `node` is of whoever took it. */
export interface PeerLink {
  name: string;
  state: "open" | "used" | "withdrawn" | "expired";
  expires_at: string;
  node: string;
  organisation: string;
  invitation: string;
}

export interface PeerRow {
  node: string;
  organisation: string;
  url: string;
  keys: string[];
}

export interface NotificationWishes {
  kinds: string[];
  pace: string;
  digest_minute: number;
  quiet_from: number;
  quiet_to: number;
  zone: string;
  language: string;
}

/** One way to reach the reader; of a browser only its push service is told. */
export interface NotificationAddress {
  address: string;
  channel: string;
  target: string;
  state: string;
  reason: string;
  made_at: string;
}

export interface NotificationMessage {
  message: string;
  person: string;
  about: string;
  state: string;
  attempts: number;
  items: number;
  code: string;
  due_at: string;
  done_at: string;
}

export interface Notifications {
  wishes: NotificationWishes;
  kinds: string[];
  languages: string[];
  addresses: NotificationAddress[];
  push_key: string;
  mail: boolean;
}

export interface SettingRow {
  name: string;
  value: string | number | boolean;
  source: string;
  text: string;
}

export interface NodeProcesses {
  processes: { name: string; roles: string[]; url: string; started_at: string; seen_s: number }[];
  leases: { role: string; holder: string; epoch: number; since: string; vacant: boolean }[];
}

export interface JobRow {
  name: string;
  since: string;
  failures: number;
  reason: string;
}

export interface CertificateRow {
  names: string[];
  fingerprint: string;
  ends_at: string;
  days_left: number;
  own: boolean;
}

export interface DeadLetterRow {
  consumer: string;
  message: string;
  subject: string;
  reason: string;
  at: string;
}

export interface BackupRow {
  number: number;
  file: string;
  sealed: boolean;
  at: string;
}

export interface DrillRow {
  id: string;
  at: string;
  leaf: number | null;
  backup: number;
  rows: number;
  log_size: number;
  transfers: number;
  holds: boolean;
  wrong: string[];
  lost_s: number;
  lost_leaves: number;
  ready_ms: number;
}

export interface GrowthRow {
  at: string;
  database_bytes: number;
  free_bytes: number;
  leaves: number;
}

/** Where a thing went, or came from, by the events that the asker may see. */
export interface TraceView {
  thing: string;
  direction: "forward" | "backward";
  made: number;
  carried: number;
  beside: number;
  complete: boolean;
  cut_short: boolean;
  steps: { thing: string; role: "made" | "carried"; from_time: string; to_time: string; before: string; event: string; by: string }[];
  ends: { thing: string; why: string; event: string; by: string }[];
  cycles: string[][];
  contradictions: string[][];
}
