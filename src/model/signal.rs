//! The signals that STOPSIGNAL takes.

/// The names of Linux's signals, without `SIG`.
const NAMES: [&str; 36] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT",
    "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
    "RTMIN", "RTMAX",
];

/// Whether the builder takes `text` for a signal: `ParseSignal` of moby/sys/signal.
pub(super) fn is_signal(text: &str) -> bool {
    if let Ok(number) = text.parse::<i64>() {
        return number != 0;
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let within = |rest: Option<&str>, most: u32| {
        rest.is_some_and(|n| !n.starts_with(['0', '+']) && n.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n)))
    };
    NAMES.contains(&name) || within(name.strip_prefix("RTMIN+"), 15) || within(name.strip_prefix("RTMAX-"), 14)
}
