//! Hostile files, made by a seeded generator, for every reader of files from users and others: no panic (a caught one
//! counts), no abort, no hang, no unbounded memory, and nothing written outside the case's own folder.
//!
//! The cases run in processes of 10,000 each, with a memory limit, so that an abort ends only one of them. By default
//! they run for about a minute; `scripts/hostile` plays a million. A failure says how to play its case alone.
//! Variables:
//!
//! | variable         | meaning                                                         |
//! |------------------|-----------------------------------------------------------------|
//! | `HOSTILE_CASES`  | play this many cases, however long that takes                    |
//! | `HOSTILE_CASE`   | play one case, such as `PNG:1234`, and print what its readers say                            |
//! | `HOSTILE_SEED`   | other cases than those of the default seed                      |
//! | `HOSTILE_JOB`    | the job of a process that plays cases (set by this program) |

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod damage;
#[cfg(unix)]
mod dice;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod parent;
#[cfg(unix)]
mod place;

/// Whether a single case is played for inspection.
#[cfg(unix)]
fn is_alone() -> bool {
    static ALONE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ALONE.get_or_init(|| std::env::var_os("HOSTILE_CASE").is_some())
}

fn main() {
    // Like the standard harness, which this program does not use: a name selects tests.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if !names.is_empty() && !names.iter().any(|name| "hostile_files".contains(name.as_str())) {
        return;
    }
    #[cfg(unix)]
    parent::main();
}
