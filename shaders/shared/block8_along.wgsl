// The terms of a block that lie along the rows of a factor, in eights.
//
// ROW_LANES lanes next to one another take the columns of one row, and the others those of the next rows, so that few
// columns fill a subgroup too. Of their row they have ROWS_AT_ONCE times EIGHTS terms each.
const ROWS_AT_ONCE = LANES / ROW_LANES;

alias Terms = array<Eight, ROWS_AT_ONCE>;

// Which of the rows a lane is on, and its place there. Where a row takes all lanes the compiler is told, for then every
// lane does the same.
fn row_of(lane: u32) -> u32 {
    return select(lane / ROW_LANES, 0u, ROW_LANES == LANES);
}

fn place_in_row(lane: u32) -> u32 {
    return select(lane % ROW_LANES, lane, ROW_LANES == LANES);
}

// A sum and the products of BLOCK terms with a block of eight columns; of the lanes of a row each brings those terms
// u * ROW_LANES + (its place) of every LANES, in eights.
fn with_products(
    sum: Eight,
    terms: Terms,
    lane: u32,
    low: ptr<function, Block>,
    high: ptr<function, Block>,
) -> Eight {
    var mine = terms;
    var total = sum;
    let first_lane = row_of(lane) * ROW_LANES;
    for (var giver = 0u; giver < LANES; giver++) {
        let a_low = subgroupShuffle(mine[giver / ROW_LANES].low, first_lane + giver % ROW_LANES);
        let a_high = subgroupShuffle(mine[giver / ROW_LANES].high, first_lane + giver % ROW_LANES);
        for (var t = 0u; t < 4u; t++) {
            total.low += a_low[t] * (*low)[giver][t];
            total.high += a_low[t] * (*high)[giver][t];
        }
        for (var t = 0u; t < 4u; t++) {
            total.low += a_high[t] * (*low)[giver][4u + t];
            total.high += a_high[t] * (*high)[giver][4u + t];
        }
    }
    return total;
}
