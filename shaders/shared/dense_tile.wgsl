// import shared/workgroup_product.wgsl

// The tiles of a product in parts, OUT_M by N: those of one part lie row by row.
const N_REALS = N / WIDTH;
const TILES_M = (OUT_M + WIDTH * SPAN - 1u) / (WIDTH * SPAN);
const TILES_N = (N_REALS + SPAN - 1u) / SPAN;

// Which Real of rows of a, and which Real of columns of b, an invocation brings.
struct Place {
    rows: u32,
    columns: u32,
}

fn place_of(tile: u32, row: u32, column: u32) -> Place {
    return Place(tile / TILES_N % TILES_M * SPAN + row, tile % TILES_N * SPAN + column);
}

fn part_of(tile: u32) -> u32 {
    return tile / (TILES_N * TILES_M);
}

fn terms_of(tile: u32) -> vec2u {
    let first = part_of(tile) * TERMS_PER_PART;
    return vec2u(first, min(first + TERMS_PER_PART, K));
}

// The number of a Real of the result within its part, and whether there is one.
struct Element {
    place: u32,
    is_inside: bool,
}

fn element(tile: u32, row: u32, column: u32) -> Element {
    let i = tile / TILES_N % TILES_M * SPAN * WIDTH + row;
    let j = tile % TILES_N * SPAN + column;
    return Element(i * N_REALS + j, i < OUT_M && j < N_REALS);
}
