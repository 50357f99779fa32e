//! What makes a drawing uncertain.

use std::fmt;

/// A reason to doubt that a picture was read correctly; [`Display`](fmt::Display) says it in a clause without a full
/// stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// Lighter and darker marks have about the same amount of ink.
    LighterAndDarker,
    /// A second mark about as large as the drawing was left out, or stands beside it.
    SeveralDrawings,
    /// The drawing reaches the picture's edge: a part may be missing.
    CutOff,
    /// The ink is hardly stronger than the grain of the paper.
    Faint,
    /// The drawing has so few pixels that little can be seen.
    Small {
        /// The larger side of the drawing.
        pixels: usize,
    },
    /// No background was found that leaves the border of the picture empty.
    UnevenGround,
    /// There are only lines from edge to edge, or lines cover the drawing; they were kept.
    OnlyLines,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::LighterAndDarker => f.write_str(
                "it has marks both lighter and darker than its background; the stronger ones were read",
            ),
            Doubt::SeveralDrawings => {
                f.write_str("there is more than one drawing in it; cut out the one that is meant")
            }
            Doubt::CutOff => f.write_str("the drawing reaches the edge; a part of it may be missing"),
            Doubt::Faint => f.write_str("the drawing is hardly stronger than the grain of its background"),
            Doubt::Small { pixels } => {
                write!(f, "the drawing is only {pixels} pixels large; a larger picture may be read better")
            }
            Doubt::UnevenGround => f.write_str(
                "its background is uneven up to the edge; the drawing may not be separated from it",
            ),
            Doubt::OnlyLines => f.write_str("there is nothing in it but lines from edge to edge"),
        }
    }
}
