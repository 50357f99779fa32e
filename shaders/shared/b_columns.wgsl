// A factor b [K, N] of a product through workgroup memory, N a multiple of 4: its columns lie side by side.
const B_ALONG = false;

// One term of a Real of columns.
fn b_columns(term: u32, column: u32, end: u32) -> Real {
    let is_inside = term < end && column < N_REALS;
    return select(Real(), b[B_BASE + select(0u, term * N_REALS + column, is_inside)], is_inside);
}

fn b_square(place: Place, term: u32, end: u32) -> Square {
    return Square(
        b_columns(term, place.columns, end),
        b_columns(term + 1u, place.columns, end),
        b_columns(term + 2u, place.columns, end),
        b_columns(term + 3u, place.columns, end),
    );
}
