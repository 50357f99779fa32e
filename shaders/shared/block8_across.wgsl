// The terms of a block that lie across the rows of a [K, M], of which a lane has every eighth; M is a multiple of 4.

// Terms of four rows of the result, of those from begin to end; each is 1 in the row past M.
fn terms_of_rows(row: u32, begin: u32, end: u32, lane: u32) -> array<vec4f, EIGHTS> {
    var terms: array<vec4f, EIGHTS>;
    let column = min(row, M - 1u) / 4u;
    for (var u = 0u; u < EIGHTS; u++) {
        let t = begin + u * LANES + lane;
        let value = a[A_BASE + min(t, K - 1u) * (M / 4u) + column];
        let ones = select(value, vec4f(1.0), vec4<bool>(row >= M));
        terms[u] = select(vec4f(), ones, vec4<bool>(t < end));
    }
    return terms;
}
