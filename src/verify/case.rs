//! Cases of any op.

use crate::ops::Op;

/// A case of any op.
pub type Case = crate::ops::Case<Op>;
