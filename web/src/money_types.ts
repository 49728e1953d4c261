// What the node answers about money beside a road. Amounts are minor units with their exponent.

export interface Account {
  account: string;
  number: string;
  closed: boolean;
  bank: string;
  holder: string;
  purpose: string;
  currency: string;
  exponent: number;
  name: string;
  balance_minor: number;
  available_minor: number;
  debits_pending_minor: number;
}

/** What a transfer did to an account; `other` is told to its bank only. */
export interface Movement {
  position: string;
  counterparty: string;
  end_to_end: string;
  remittance: string;
  transfer: string;
  at: string;
  state: string;
  amount_minor: number;
  other: string;
  uetr: string;
  resolves: string;
}

export interface Movements {
  account: string;
  currency: string;
  exponent: number;
  movements: Movement[];
  complete: boolean;
}

export interface Deal {
  deal: string;
  consignment: string;
  payer: string;
  payee: string;
  amount_minor: number;
  currency: string;
  exponent: number;
  state: string;
  reason: string;
}

/** What must hold before a deal pays. */
export interface DealTerms {
  marks: string[];
  site: import("./parts/site_draft").Site;
  not_before: string;
  not_after: string;
  risk_ppb: number;
  needs: string[];
}

/** A deal with its terms and how it stands. */
export interface DealWhole extends Deal {
  payer_bank: string;
  payee_bank: string;
  terminal: string;
  carried: import("./parts/carried").Carried[];
  title: string;
  terms: DealTerms;
  title_reserved: boolean;
  conditions: { name: string; met: boolean; because: string; waits_for: string }[];
  obstacles: string[];
  deadline: string;
  decision: { outcome: string; reason: string; sentence: string } | null;
}

/** Who may keep accounts at this node. */
export interface Bank {
  bank: string;
  name: string;
  bic: string;
  town: string;
  country: string;
}

export interface Escrow {
  escrow: string;
  key: string;
  payer: string;
  payee: string;
  payer_bank: string;
  arbiter: string;
  amount_minor: number;
  currency: string;
  exponent: number;
  state: string;
  standing: string;
  reason: string;
  leaves: { kind: string; what: string; about: string; asserted_by: string; met: boolean }[];
  disputes: { party: string; reason: string }[];
  resolutions: { party: string; to_payee_minor: number; reason: string }[];
  to_payee_minor: number;
}

/** How much another bank may owe the reader's. */
export interface CreditLine {
  bank: string;
  peer: string;
  currency: string;
  exponent: number;
  limit_minor: number;
  used_minor: number;
}

export interface Currency {
  currency: string;
  exponent: number;
}

export interface Approval {
  approval: string;
  act: string;
  subject: string;
  amount_minor: number;
  currency: string;
  exponent: number;
  state: string;
  asked_at: string;
  persons: number;
  approved_by: string[];
  refused_by: string;
  reason: string;
  said?: { act?: string; why?: string; first?: { name?: string; like?: string; source?: string; payee?: string; amount_minor?: string }[] };
}

export interface PaymentOrder {
  payment_order: string;
  bank: string;
  sender: string;
  message: string;
  state: string;
  next_at: string;
  payments: number;
  waiting: number;
  sums: { currency: string; exponent: number; amount_minor: number }[];
  first: { uetr: string; payee: string; account: string; amount_minor: number; currency: string; exponent: number; reference: string; day: string; state: string; code: string }[];
}

export interface Discrepancy {
  check: string;
  article: string;
  sentence: string;
  left: string;
  right: string;
}

/** A document as data: what its face says, by field. */
export type Paper = { kind: string } & Record<string, unknown>;

export interface Drawing {
  drawing: string;
  state: string;
  claimed_minor: number;
  presented_on: string;
  examine_until: string;
  due_on: string;
  checks: number;
  discrepancies: Discrepancy[];
  disregarded: string[];
  papers: { documents?: Paper[] };
  records_asked: number[];
  records_until: string;
}

export interface Credit {
  credit: string;
  key: string;
  issuer: string;
  beneficiary: string;
  applicant: string;
  adviser: string;
  confirmer: string;
  version: number;
  offered: boolean;
  regime: string;
  banking_days: { of: string; calendar: string; last_year: number }[];
  advised: boolean;
  confirmed: boolean;
  drawn_minor: number;
  may_be_drawn_minor: number;
  exponent: number;
  terms: { currency: string; amount_minor: number; expires_on: string; expiry_place: string; available_by: string; version: number; shipment: { document: string; loading: string; discharge: string } };
  drawings: Drawing[];
  steps: { act: string; drawing: string; by: string; at: string; transfer: string }[];
}

export interface Quote {
  quote: string;
  given: boolean;
  dealer: string;
  dealer_node: string;
  client: string;
  client_node: string;
  sold: string;
  bought: string;
  sold_exponent: number;
  bought_exponent: number;
  numerator: number;
  denominator: number;
  sold_minor_max: number;
  valid_until: string;
}

export interface Leg {
  currency: string;
  exponent: number;
  amount_minor: number;
}

export interface Pvp {
  reference: string;
  side: string;
  state: string;
  peer_node: string;
  peer_party: string;
  first: Leg;
  second: Leg;
  deadline: string;
  decision: number;
}

export interface Cycle {
  cycle: string;
  key: string;
  bank: string;
  participants: string[];
  currency: string;
  exponent: number;
  state: string;
  count: number;
  gross_minor: number;
  needed_minor: number;
  settled_minor: number;
  moved_minor: number;
  positions: { party: string; net_minor: number }[];
  obligations: { number: number; debtor: string; creditor: string; amount_minor: number; waits: boolean }[];
  liquidity: { cycles: number; needed_minor: number }[];
}

export interface Receivable {
  token: string;
  obligor: string;
  obligor_party: string;
  supplier: string;
  supplier_party: string;
  invoice: string;
  amount_minor: number;
  currency: string;
  exponent: number;
  due_on: string;
  confirmed: boolean;
  paid_on: string;
  disputed: string;
  free_minor: number;
  shares: { share: string; holder: string; amount_minor: number }[];
}

export interface Passport {
  issued_at: string;
  until: string;
  claims: Record<string, unknown> & { facts: { count: number } };
  may_hide: string[];
  token: string;
}

export interface BankingCalendar {
  calendar: string;
  sources: string[];
  years: [number, number][];
  next_closed: string[];
  missing_year: number;
}
