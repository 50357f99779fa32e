//! Errors of what several processes exchange.

use crate::message::debug_is_message;

/// Why an exchange failed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollectiveError {
    /// Another rank has ended with an error of its own, which it reports itself.
    #[error("process {rank} failed")]
    Failed {
        /// The lowest that has.
        rank: usize,
    },
    /// Ranks were at different places of the program.
    #[error(
        "process {rank} was to exchange {theirs} while this one was to exchange {ours}: they do not run the same \
         program with the same settings; start all with the same"
    )]
    Apart {
        /// The lowest that was elsewhere.
        rank: usize,
        /// What it was about to do.
        theirs: String,
        /// What this rank was about to do.
        ours: String,
    },
    /// Ranks whose weights should be the same have others.
    #[error(
        "after step {step} the weights of process {rank} are not those of process 0: their devices, drivers or programs do not compute the \
         same; leave out the machine of one, or let process 0 alone update with --mixed-devices (in Rust `Updates::FirstOnly`)"
    )]
    OtherWeights {
        /// The lowest that has others.
        rank: usize,
        /// Steps that were trained.
        step: usize,
    },
}

debug_is_message!(CollectiveError);
