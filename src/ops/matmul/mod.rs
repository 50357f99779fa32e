//! Matrix products: plain, and with one factor transposed.

mod a_bt;
mod at_b;
mod fast;
mod plain;
mod shape;

pub use a_bt::MatmulABt;
pub(super) use a_bt::matmul_a_bt;
pub use at_b::MatmulAtB;
pub(super) use at_b::matmul_at_b;
pub use plain::Matmul;
pub(super) use plain::matmul;
pub use shape::MatmulShape;
pub(super) use shape::product_rows;
