// import shared/dense_part.wgsl
// import shared/a_columns.wgsl
// import shared/b_columns.wgsl

// matmul_at_b, through workgroup memory (shared/workgroup_product.wgsl): a workgroup computes one tile of one part. M and N are
// multiples of 4; where there is a row past M, it is that of ones.
//
// a       [K, M]
// b       [K, N]
// partial [PARTS, OUT_M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;
