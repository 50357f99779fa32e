// A factor a [K, M] of a product through workgroup memory, M a multiple of 4, as if it had a column of ones after its last: its columns,
// which are rows of the result, lie side by side.
const A_ALONG = false;

// One term of a Real of columns.
fn a_columns(term: u32, column: u32, end: u32) -> Real {
    let is_inside = term < end && column < M / WIDTH;
    let value = a[A_BASE + select(0u, term * (M / WIDTH) + column, is_inside)];
    return select(Real(select(0.0, 1.0, term < end)), value, is_inside);
}

fn a_square(place: Place, term: u32, end: u32) -> Square {
    return Square(
        a_columns(term, place.rows, end),
        a_columns(term + 1u, place.rows, end),
        a_columns(term + 2u, place.rows, end),
        a_columns(term + 3u, place.rows, end),
    );
}
