// The rows of a [M, K] that pass by a block of a product's other factor, for matmul and matmul_a_bt.
const N_EIGHTS = N / EIGHTS;
const K_EIGHTS = K / EIGHTS;
const TILES_M = (M + TILE_M - 1u) / TILE_M;
const TILES_N = (N_EIGHTS + ROW_LANES - 1u) / ROW_LANES;

// What a subgroup computes: its lane's eight columns, some rows, one part of the sums.
struct Tile {
    column: u32,
    first_row: u32,
    end_row: u32,
    part: u32,
    first: u32,
    end: u32,
}

fn tile_of(tile: u32, lane: u32) -> Tile {
    let first_row = tile / TILES_N % TILES_M * TILE_M;
    let part = tile / (TILES_N * TILES_M);
    let first = part * TERMS_PER_PART;
    return Tile(
        tile % TILES_N * ROW_LANES + place_in_row(lane),
        first_row,
        min(first_row + TILE_M, M),
        part,
        first,
        min(first + TERMS_PER_PART, K),
    );
}

// Adds the products of the terms from begin on to the rows of partial; the first block of a part begins them.
fn pass_by(tile: Tile, begin: u32, lane: u32, low: ptr<function, Block>, high: ptr<function, Block>) {
    for (var rows = tile.first_row; rows < tile.end_row; rows += ROWS_AT_ONCE) {
        let own = rows + row_of(lane);
        let row = min(own, tile.end_row - 1u);
        var terms: Terms;
        for (var u = 0u; u < LOADS; u++) {
            if has_eight(u, lane) {
                let eight = begin / EIGHTS + eight_of(u, lane);
                let mine = unpacked(a[A_BASE + row * K_EIGHTS + min(eight, K_EIGHTS - 1u)]);
                let there = vec4<bool>(eight * EIGHTS < tile.end);
                terms[u] = Eight(select(vec4f(), mine.low, there), select(vec4f(), mine.high, there));
            }
        }
        let place = PARTIAL_BASE + (tile.part * M + row) * N_EIGHTS + tile.column;
        let stored = own < tile.end_row && tile.column < N_EIGHTS;
        var sum = Eight();
        if TERMS_PER_PART > BLOCK && begin > tile.first && stored {
            sum = unpacked(partial[place]);
        }
        sum = with_products(sum, &terms, lane, low, high);
        if stored {
            partial[place] = packed(sum);
        }
    }
}
