//! What ops are written with; nothing here knows any op.

pub(crate) mod accuracy;
mod args;
mod batch;
mod by_column;
mod case;
mod cases;
mod constant;
mod each_weight;
mod expect;
mod fast;
mod inputs;
mod kernel;
mod kind;
mod kinks;
mod lanes;
mod pieces;
mod product;
mod rough;
mod rows;
mod source;
mod split;
mod teams;
mod tiles;
mod trial;
mod twin;
mod update;
mod wide;

pub(crate) use accuracy::{
    DIVISION, FLUSHED, HALF_ULP, SQUARE_ROOT, ULP, exp_error, log_error, sum_of_alike, sum_of_products,
};
pub use args::{Access, ArgSpec, DATA, Dtype, Extent, image_stride};
pub(crate) use args::{arg, changed, indices, metrics, read, written};
pub use batch::BatchParams;
pub(crate) use by_column::{LINE, Lanes, change_columns, line, sum_columns};
pub use case::{Case, Numbers, Wire};
pub(crate) use cases::arguments;
pub(crate) use constant::{Constant, Constants, constants};
pub(crate) use each_weight::{Weights, slots, update_each, update_weights};
pub(crate) use expect::run_twin;
pub(crate) use fast::FastRow;
pub use fast::{Room, Scratch};
pub(crate) use inputs::{Argument, Draw, HOSTILE_BYTE, HOSTILE_F32, HOSTILE_U32, UNWRITTEN, Values};
pub(crate) use kernel::{ByLanes, EIGHTS, Row, Sums};
pub use kernel::{Element, Kernel};
pub(crate) use kind::OpKind;
pub use kinks::Kinks;
pub(crate) use lanes::{
    BLOCK_EIGHTS, across_tile, along_tile, block_rows, blocks, one_block, row_lanes, short, side_by_side,
};
pub(crate) use pieces::{each_pair, each_piece, each_piece_by};
pub(crate) use product::{Matrix, TERMS, Target, cut, fused, product};
pub(crate) use rough::Rough;
pub(crate) use rows::reals;
pub(crate) use source::shader;
pub use source::{FUNCTION, Form, SHARED, Source};
pub(crate) use split::PART;
pub use split::{MAX_ITERATIONS, METRICS_LANES, Split};
pub(crate) use teams::Product;
pub(crate) use tiles::tiles;
pub(crate) use trial::{Bound, Bounds, Expected, Output, Trial, relative};
pub use twin::{Arg, OtherArguments, Real};
pub(crate) use twin::{PIECE, change, change_by, first_maximum, take};
pub(crate) use update::{
    Before, decay_constants, decay_flops, decay_title, decayed, decayed_weight, first_mean, guards, held,
    squares_and_means, update_args, update_bounds, update_input,
};
pub(crate) use wide::{Loops, wide};
