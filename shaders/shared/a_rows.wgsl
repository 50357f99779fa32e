// A factor a [M, K] of a product through workgroup memory, K a multiple of 4: its terms lie side by side.
const A_ALONG = true;

// WIDTH terms of one row.
fn a_terms(row: u32, term: u32, end: u32) -> Real {
    let is_inside = row < M && term < end;
    return select(Real(), a[A_BASE + select(0u, row * (K / WIDTH) + term / WIDTH, is_inside)], is_inside);
}

fn a_square(place: Place, term: u32, end: u32) -> Square {
    let row = place.rows * WIDTH;
    return transpose(Square(
        a_terms(row, term, end),
        a_terms(row + 1u, term, end),
        a_terms(row + 2u, term, end),
        a_terms(row + 3u, term, end),
    ));
}
