// The terms of a block that lie across the rows of a [K, M]; M is a multiple of 8.

// Terms of eight rows of the result, of those from begin to end; each is 1 in the row past M.
fn terms_of_rows(row: u32, begin: u32, end: u32, lane: u32) -> Across {
    var terms: Across;
    let column = min(row, M - 1u) / EIGHTS;
    for (var u = 0u; u < LOADS_ACROSS; u++) {
        let t = begin + u * LANES + lane;
        let value = unpacked(a[A_BASE + min(t, K - 1u) * (M / EIGHTS) + column]);
        let ones = vec4<bool>(row >= M);
        let there = vec4<bool>(t < end);
        terms[u].low = select(vec4f(), select(value.low, vec4f(1.0), ones), there);
        terms[u].high = select(vec4f(), select(value.high, vec4f(1.0), ones), there);
    }
    return terms;
}
