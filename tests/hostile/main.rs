//! Hostile files, by a seeded generator, for every reader of files that users and others hand over: no panic (a caught one
//! counts), no abort, no hang, no memory without bound, and nothing written outside the case's own folder.
//!
//! The cases run in processes of 10,000 each, with a limit on memory, so that an abort costs one of them. By default
//! they run for about a minute; `scripts/hostile` plays a million. A failure says how to play its case alone. Variables:
//!
//! | variable         | meaning                                                         |
//! |------------------|-----------------------------------------------------------------|
//! | `HOSTILE_CASES`  | play so many cases, however long that takes                     |
//! | `HOSTILE_CASE`   | play one case, such as `PNG:1234`, and print what its readers say                            |
//! | `HOSTILE_SEED`   | other cases than those of the default seed                      |
//! | `HOSTILE_JOB`    | of a process that plays cases: what it is told (set by this program) |

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

/// Whether one case is played, to be looked at.
#[cfg(unix)]
fn is_alone() -> bool {
    static ALONE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ALONE.get_or_init(|| std::env::var_os("HOSTILE_CASE").is_some())
}

fn main() {
    // As the harness does that this program has not: a name chooses tests.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if !names.is_empty() && !names.iter().any(|name| "hostile_files".contains(name.as_str())) {
        return;
    }
    #[cfg(unix)]
    parent::main();
}
