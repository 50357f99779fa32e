// The tiles of a matrix product in workgroup memory. SIDE * SIDE invocations compute SIDE Reals of rows by SIDE Reals of
// columns, each WIDTH rows by one Real of columns, from TILE_TERMS terms of both factors at a time.
//
// A tile consists of SIDE by SIDE squares of WIDTH terms by WIDTH rows (or columns), of which each invocation brings one.
// All rows of a term lie side by side. A Real is left free after each WIDTH terms: else invocations that store squares
// of the same rows would all meet in the same memory banks.
alias Square = mat4x4<f32>;
alias Sums = array<Real, WIDTH>;

const TILE_TERMS = SIDE * WIDTH;
const SQUARES = WIDTH * SIDE + 1u;
const A_TILE = 0u;
const B_TILE = SIDE * SQUARES;

var<workgroup> tiles: array<Real, 2u * SIDE * SQUARES>;

// Stores a square, one term after the other: its terms and its rows are counted in Reals.
fn put(tile: u32, terms: u32, rows: u32, square: Square) {
    let place = tile + terms * SQUARES + rows;
    tiles[place] = square[0];
    tiles[place + SIDE] = square[1];
    tiles[place + 2u * SIDE] = square[2];
    tiles[place + 3u * SIDE] = square[3];
}

// Adds the products of all terms of the tiles, in their order, for a Real of rows and a Real of columns.
fn add_products(sum: ptr<function, Sums>, row: u32, column: u32) {
    for (var terms = 0u; terms < SIDE; terms++) {
        for (var u = 0u; u < WIDTH; u++) {
            let place = terms * SQUARES + u * SIDE;
            let a_value = tiles[A_TILE + place + row];
            let b_value = tiles[B_TILE + place + column];
            (*sum)[0] += a_value.x * b_value;
            (*sum)[1] += a_value.y * b_value;
            (*sum)[2] += a_value.z * b_value;
            (*sum)[3] += a_value.w * b_value;
        }
    }
}
