// The terms of a block that lie across the rows of a [K, M]: a lane has every eighth of them.

// Terms of one row of the result, of those from begin to end; each is 1 in the row past M.
fn terms_of_row(row: u32, begin: u32, end: u32, lane: u32) -> array<f32, EIGHTS> {
    var terms: array<f32, EIGHTS>;
    let column = min(row, M - 1u);
    for (var u = 0u; u < EIGHTS; u++) {
        let t = begin + u * LANES + lane;
        let value = a[A_BASE + min(t, K - 1u) * M + column];
        terms[u] = select(0.0, select(value, 1.0, row == M), t < end);
    }
    return terms;
}
