//! How much memory there is.

/// The bytes that a program may still take, as Linux estimates it; `None` on other systems.
pub(super) fn available() -> Option<u64> {
    const UNIT: u64 = 1024;
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(UNIT)
}
