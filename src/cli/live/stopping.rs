//! Which of several requests to end ends the program at once.

use std::time::{Duration, Instant};

/// A key that is pressed twice within this time may be one that was held a little long.
const SLIP: Duration = Duration::from_secs(1);

/// What asks for an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The key `q`.
    Letter,
    ControlC,
    Signal,
}

/// The requests so far.
#[derive(Debug, Default)]
pub struct Stopping {
    first: Option<Instant>,
    control_c: bool,
}

impl Stopping {
    /// Notes a request at this time. Whether it ends the program at once: the first one never does; a later one does if it comes long after
    /// the first, and sooner if it is no slip.
    pub fn ends_at_once(&mut self, by: By, now: Instant) -> bool {
        let Some(first) = self.first else {
            *self = Stopping { first: Some(now), control_c: by == By::ControlC };
            return false;
        };
        let meant = match by {
            By::Letter => false,
            By::ControlC => std::mem::replace(&mut self.control_c, true),
            By::Signal => true,
        };
        meant || now.duration_since(first) > SLIP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_does_not_end_the_program() {
        use By::{ControlC, Letter, Signal};
        // Requests with their time in milliseconds; the last one ends the program or does not.
        let rows: [(&[(By, u64)], bool); 10] = [
            (&[(Letter, 0)], false),
            (&[(ControlC, 0)], false),
            (&[(Signal, 0)], false),
            (&[(Letter, 0), (Letter, 150)], false),
            (&[(Letter, 0), (Letter, 500), (Letter, 1000)], false),
            (&[(Letter, 0), (Letter, 1001)], true),
            (&[(Letter, 0), (ControlC, 500)], false),
            (&[(Letter, 0), (ControlC, 500), (ControlC, 950)], true),
            (&[(ControlC, 0), (ControlC, 450)], true),
            (&[(Letter, 0), (Signal, 10)], true),
        ];
        let begun = Instant::now();
        for (requests, expected) in rows {
            let mut stopping = Stopping::default();
            let ends =
                requests.iter().map(|&(by, at)| stopping.ends_at_once(by, begun + Duration::from_millis(at)));
            assert_eq!(ends.last(), Some(expected), "{requests:?}");
        }
    }
}
