// The terms of a block that lie across the rows of a factor, of which a lane has every eighth, for eight rows at once.
alias Across = array<Eight, EIGHTS>;

const_assert LANES == EIGHTS && BLOCK_EIGHTS == EIGHTS;

// One float of each of the eight lanes, in their order.
fn from_all(own: f32) -> Eight {
    let low = vec4f(
        subgroupShuffle(own, 0u), subgroupShuffle(own, 1u), subgroupShuffle(own, 2u), subgroupShuffle(own, 3u)
    );
    let high = vec4f(
        subgroupShuffle(own, 4u), subgroupShuffle(own, 5u), subgroupShuffle(own, 6u), subgroupShuffle(own, 7u)
    );
    return Eight(low, high);
}

// A sum and the products of BLOCK terms with a block of eight columns: element e of each of these.
fn with_products_across(
    sum: Eight,
    terms: ptr<function, Across>,
    e: u32,
    low: ptr<function, Block>,
    high: ptr<function, Block>,
) -> Eight {
    var total = sum;
    for (var u = 0u; u < EIGHTS; u++) {
        let four = select((*terms)[u].low, (*terms)[u].high, vec4<bool>(e >= 4u));
        let own = four[e % 4u];
        total = with_eight(total, from_all(own), (*low)[u], (*high)[u]);
    }
    return total;
}
