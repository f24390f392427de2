//! Ctrl-C and the other ways of being asked to end.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// From here on the first request to end only raises the flag that is given back, so that what is being written is written
/// whole; the second one ends the program at once.
pub fn stop_gently() -> &'static AtomicBool {
    // Where no handler can be set, the program ends at once, which leaves every file whole, too.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        super::output::complain("stopping after what is being worked on; once more to stop at once");
    });
    &STOP
}
