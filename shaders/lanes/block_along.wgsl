// The terms of a block that lie along the rows of a factor, in eights.
//
// ROW_LANES lanes next to one another take the columns of one row, and the others those of the next rows, so that few
// columns fill a subgroup too. Of their row's terms they have BLOCK_EIGHTS eights between them, LOADS each at most.
const ROWS_AT_ONCE = LANES / ROW_LANES;
const LOADS = (BLOCK_EIGHTS + ROW_LANES - 1u) / ROW_LANES;

alias Terms = array<Eight, LOADS>;

// Which of the rows a lane is on, and its place there. Where a row takes all lanes the compiler is told, for then every
// lane does the same.
fn row_of(lane: u32) -> u32 {
    return select(lane / ROW_LANES, 0u, ROW_LANES == LANES);
}

fn place_in_row(lane: u32) -> u32 {
    return select(lane % ROW_LANES, lane, ROW_LANES == LANES);
}

// Which eight of the block a lane brings with its load u, and whether there is one: some lanes have none in the last load.
fn eight_of(u: u32, lane: u32) -> u32 {
    return u * ROW_LANES + place_in_row(lane);
}

fn has_eight(u: u32, lane: u32) -> bool {
    return (u + 1u) * ROW_LANES <= BLOCK_EIGHTS || eight_of(u, lane) < BLOCK_EIGHTS;
}

// Four rows of eight terms as eight rows of four: term t of each in row t.
fn transposed(a: Eight, b: Eight, c: Eight, d: Eight) -> array<vec4f, EIGHTS> {
    return array(
        vec4f(a.low.x, b.low.x, c.low.x, d.low.x),
        vec4f(a.low.y, b.low.y, c.low.y, d.low.y),
        vec4f(a.low.z, b.low.z, c.low.z, d.low.z),
        vec4f(a.low.w, b.low.w, c.low.w, d.low.w),
        vec4f(a.high.x, b.high.x, c.high.x, d.high.x),
        vec4f(a.high.y, b.high.y, c.high.y, d.high.y),
        vec4f(a.high.z, b.high.z, c.high.z, d.high.z),
        vec4f(a.high.w, b.high.w, c.high.w, d.high.w),
    );
}

// A sum and the products of BLOCK terms with a block of eight columns.
fn with_products(
    sum: Eight,
    terms: ptr<function, Terms>,
    lane: u32,
    low: ptr<function, Block>,
    high: ptr<function, Block>,
) -> Eight {
    var total = sum;
    let row = row_of(lane);
    for (var giver = 0u; giver < BLOCK_EIGHTS; giver++) {
        let own = (*terms)[giver / ROW_LANES];
        let a_low = given_four(own.low, row, giver % ROW_LANES, ROW_LANES);
        let a_high = given_four(own.high, row, giver % ROW_LANES, ROW_LANES);
        total = with_eight(total, Eight(a_low, a_high), (*low)[giver], (*high)[giver]);
    }
    return total;
}
