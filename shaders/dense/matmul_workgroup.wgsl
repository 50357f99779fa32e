// import shared/dense_part.wgsl
// import shared/a_rows.wgsl
// import shared/b_columns.wgsl

// matmul, through workgroup memory (shared/workgroup_product.wgsl): a workgroup computes one tile of one part. K and N are multiples
// of 4.
//
// a       [M, K]
// b       [K, N]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const OUT_M = M;
