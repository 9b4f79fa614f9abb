// What a close code says about coming back; the table is in docs/protocol.md.

/** What to do after a close. */
export type Verdict = "come_back" | "come_back_later" | "log_in_again" | "stay_away";

const NOT_AUTHENTICATED = 4003;
const FLOODING = 4029;
/** The client is at fault, or has been replaced: the same again would end the same way. */
const FINAL: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 4001, 4010]);

/** Whether to come back after this close code. What the table does not know is taken for an accident of the network. */
export function verdict(code: number): Verdict {
  if (code === NOT_AUTHENTICATED) return "log_in_again";
  if (FINAL.has(code)) return "stay_away";
  return code === FLOODING ? "come_back_later" : "come_back";
}

/** Whether a handshake that was refused with this status may succeed later. */
export function verdictOfStatus(status: number): Verdict {
  if (status === 401) return "log_in_again";
  return status === 400 || status === 403 ? "stay_away" : "come_back";
}
