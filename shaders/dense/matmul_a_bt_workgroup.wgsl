// import shared/dense_part.wgsl
// import shared/a_rows.wgsl

// matmul_a_bt, through workgroup memory (shared/workgroup_product.wgsl): a workgroup computes one tile of one part. K and N are
// multiples of 4.
//
// a       [M, K]
// b       [N, K]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const OUT_M = M;
const B_ALONG = true;

// WIDTH terms of one column of the result, which is a row of b.
fn b_terms(row: u32, term: u32, end: u32) -> Real {
    let is_inside = row < N && term < end;
    return select(Real(), b[B_BASE + select(0u, row * (K / WIDTH) + term / WIDTH, is_inside)], is_inside);
}

fn b_square(place: Place, term: u32, end: u32) -> Square {
    let row = place.columns * WIDTH;
    return transpose(Square(
        b_terms(row, term, end),
        b_terms(row + 1u, term, end),
        b_terms(row + 2u, term, end),
        b_terms(row + 3u, term, end),
    ));
}
