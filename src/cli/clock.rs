//! How long a job takes, and when it ends.

use std::time::{Duration, Instant};

use jiff::ZonedDateTime;

use crate::train::Schedule;

/// From where on the rest of a job is told.
const LONG: Duration = Duration::from_secs(60);

/// The clock of one training, which is read at the ends of epochs. It counts all that happens meanwhile: batches, validation,
/// checkpoints.
#[derive(Debug)]
pub struct JobClock {
    begun: Instant,
    /// Batches that were done before, and that there are in all.
    before: usize,
    steps: usize,
}

impl JobClock {
    /// Starts it.
    pub fn start(schedule: &Schedule) -> Self {
        JobClock { begun: Instant::now(), before: schedule.steps_done, steps: schedule.steps }
    }

    /// What is left after `done` of all batches, and the time of day when that ends: `1h 12m left, until 23:50`. `None` where
    /// less than a minute is left, and where no batch was trained so far. Training may end earlier, by a rule of its own.
    pub fn left(&self, done: usize) -> Option<String> {
        let left = left(self.begun.elapsed(), done.checked_sub(self.before)?, self.steps.checked_sub(done)?)?;
        Some(told(left, &ZonedDateTime::now()))
    }
}

/// How long `left` batches take where `done` took so long; `None` where that is not known, or not long.
fn left(elapsed: Duration, done: usize, left: usize) -> Option<Duration> {
    let each = elapsed.as_secs_f64() / Some(done).filter(|&done| done > 0)? as f64;
    let left = Duration::try_from_secs_f64(each * left as f64).ok()?;
    (left >= LONG).then_some(left)
}

/// The rest of a job, seen at this time. The day is named where it is another one.
fn told(left: Duration, now: &ZonedDateTime) -> String {
    let text = format!("{} left", units(left.as_secs_f64()));
    let Ok(end) = now.checked_add(left) else { return text };
    let form = if end.date() == now.date() { "%H:%M" } else { "%a %d %b, %H:%M" };
    format!("{text}, until {}", end.strftime(form))
}

/// A length of time in its two largest units: `1d 3h`, `1h 5m`, `14m 3s`; below 100 seconds in tenths of a second.
pub fn length(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 100.0 { format!("{seconds:.1}s") } else { units(seconds) }
}

fn units(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let [minutes, hours, days] = [60, 3600, 86400].map(|unit| seconds / unit);
    match () {
        () if days > 0 => format!("{days}d {}h", hours % 24),
        () if hours > 0 => format!("{hours}h {}m", minutes % 60),
        () => format!("{minutes}m {}s", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units() {
        let rows = [
            (0.04, "0.0s"),
            (99.94, "99.9s"),
            (100.0, "1m 40s"),
            (3599.6, "1h 0m"),
            (3720.0, "1h 2m"),
            (86400.0, "1d 0h"),
            (200_000.0, "2d 7h"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(length(Duration::from_secs_f64(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn what_is_left_follows_from_what_is_done() {
        let rows = [
            (30, 100, 900, Some(270)),
            (30, 100, 200, Some(60)),
            (30, 100, 199, None),
            (30, 0, 900, None),
            (30, 100, 0, None),
        ];
        for (elapsed, done, after, expected) in rows {
            let found = left(Duration::from_secs(elapsed), done, after);
            assert_eq!(found, expected.map(Duration::from_secs), "{elapsed}, {done}, {after}");
        }
    }

    #[test]
    fn the_day_is_named_where_it_is_another_one() {
        let now: ZonedDateTime = "2026-11-29T22:55:00[UTC]".parse().unwrap();
        assert_eq!(told(Duration::from_secs(3900), &now), "1h 5m left, until Mon 30 Nov, 00:00");
        assert_eq!(told(Duration::from_secs(94), &now), "1m 34s left, until 22:56");
        // Past the last year that there is a date of.
        assert_eq!(told(Duration::from_secs(86_400 << 40), &now), format!("{}d 0h left", 1u64 << 40));
    }
}
