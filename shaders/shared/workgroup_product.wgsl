// A matrix product through workgroup memory, so that what one invocation loads feeds a whole row or column of them. A team of
// SIDE * SIDE invocations computes a tile of SPAN Reals of rows by SPAN Reals of columns, each REALS of both, SIDE apart, from TILE_TERMS
// terms of both factors at a time: the more outputs are an invocation's own, the fewer loads from workgroup memory to a multiply-add.
// The TEAMS of a workgroup take such ranges of terms by turns; then their sums are added up, in order. Where REALS is more than one
// there is one team.
//
// A kernel that imports this says of what its product is:
//   A_ALONG, B_ALONG  whether neighbouring invocations bring neighbouring terms of a factor, not neighbouring rows (or columns):
//                     as its numbers lie in memory
//   Place, place_of(tile, row, column)
//                     what an invocation knows of its tile; it brings either that Real of rows of a or that Real of columns of b, both
//                     counted within the tile
//   terms_of(tile)    the first term of the sums of a tile, and the one past the last
//   a_square(place, term, end), b_square(place, term, end)
//                     WIDTH terms from this one on of what it brings, one after the other; those past the end are zeros
//   store(tile, row, column, sum)
//                     where to put a Real of columns of a row, both counted within the tile; they may lie past the edge
//
// The part of a factor consists of QUADS by SPAN squares of WIDTH terms by WIDTH rows (or columns); one half of a team brings those of
// a, the other those of b, a square each. All rows of a term lie side by side, in an order that differs from square to square: else
// invocations that bring squares of the same rows would meet in the same memory banks. The next squares are loaded before these are
// multiplied, so that they are on their way meanwhile.
alias Square = mat4x4<f32>;
alias Sums = array<Real, REALS * REALS * WIDTH>;

const TEAM = SIDE * SIDE;
const HALF = TEAM / 2u;
const SPAN = SIDE * REALS;
const QUADS = HALF / SPAN;
const TILE_TERMS = QUADS * WIDTH;
const TILE = SPAN * TILE_TERMS;

var<workgroup> tiles: array<Real, TEAMS * 2u * TILE>;

// Where Real `rows` of the first of WIDTH terms lies in a tile.
fn place_in(tile: u32, terms: u32, rows: u32) -> u32 {
    return tile + terms * WIDTH * SPAN + (rows ^ (2u * terms));
}

// Stores a square, one term after the other.
fn put(tile: u32, terms: u32, rows: u32, square: Square) {
    let place = place_in(tile, terms, rows);
    tiles[place] = square[0];
    tiles[place + SPAN] = square[1];
    tiles[place + 2u * SPAN] = square[2];
    tiles[place + 3u * SPAN] = square[3];
}

// Adds the products of all terms of a team's tiles, in their order, for the Reals of rows and those of columns of an invocation.
fn add_products(sum: ptr<function, Sums>, tile: u32, row: u32, column: u32) {
    for (var terms = 0u; terms < QUADS; terms++) {
        for (var u = 0u; u < WIDTH; u++) {
            var b_values: array<Real, REALS>;
            for (var c = 0u; c < REALS; c++) {
                b_values[c] = tiles[place_in(tile + TILE, terms, column + c * SIDE) + u * SPAN];
            }
            for (var r = 0u; r < REALS; r++) {
                let a_value = tiles[place_in(tile, terms, row + r * SIDE) + u * SPAN];
                for (var c = 0u; c < REALS; c++) {
                    let first = (r * REALS + c) * WIDTH;
                    (*sum)[first] += a_value.x * b_values[c];
                    (*sum)[first + 1u] += a_value.y * b_values[c];
                    (*sum)[first + 2u] += a_value.z * b_values[c];
                    (*sum)[first + 3u] += a_value.w * b_values[c];
                }
            }
        }
    }
}

fn square(place: Place, is_of_b: bool, term: u32, end: u32) -> Square {
    if is_of_b {
        return b_square(place, term, end);
    }
    return a_square(place, term, end);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let number = group.x + group.y * GROUPS_X;
    // Of whole groups, so that all invocations of a group meet at its barriers.
    if number >= INVOCATIONS / WORKGROUP_SIZE {
        return;
    }
    let team = local / TEAM;
    let tile = team * 2u * TILE;
    // What it brings.
    let is_of_b = local % TEAM >= HALF;
    let brought = local % HALF;
    let is_along = select(A_ALONG, B_ALONG, is_of_b);
    let terms = select(brought / SPAN, brought % QUADS, is_along);
    let rows = select(brought % SPAN, brought / QUADS, is_along);
    let place = place_of(number, rows, rows);
    let range = terms_of(number);
    var term = range.x + team * TILE_TERMS + terms * WIDTH;
    var next = square(place, is_of_b, term, range.y);
    // What it computes.
    let row = local % TEAM / SIDE;
    let column = local % SIDE;
    var sum: Sums;
    for (var done = range.x; done < range.y; done += TEAMS * TILE_TERMS) {
        // Until nobody reads the tiles before.
        workgroupBarrier();
        put(tile + select(0u, TILE, is_of_b), terms, rows, next);
        workgroupBarrier();
        term += TEAMS * TILE_TERMS;
        next = square(place, is_of_b, term, range.y);
        add_products(&sum, tile, row, column);
    }
    if TEAMS == 1u {
        for (var r = 0u; r < REALS; r++) {
            for (var c = 0u; c < REALS; c++) {
                for (var v = 0u; v < WIDTH; v++) {
                    store(number, (row + r * SIDE) * WIDTH + v, column + c * SIDE, sum[(r * REALS + c) * WIDTH + v]);
                }
            }
        }
        return;
    }
    workgroupBarrier();
    for (var v = 0u; v < WIDTH; v++) {
        tiles[v * WORKGROUP_SIZE + local] = sum[v];
    }
    workgroupBarrier();
    // Each team adds up and stores some of the rows.
    for (var v = team; v < WIDTH; v += TEAMS) {
        var total = tiles[v * WORKGROUP_SIZE + local % TEAM];
        for (var other = 1u; other < TEAMS; other++) {
            total += tiles[v * WORKGROUP_SIZE + other * TEAM + local % TEAM];
        }
        store(number, row * WIDTH + v, column, total);
    }
}
