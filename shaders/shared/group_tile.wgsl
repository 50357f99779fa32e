// import shared/workgroup_product.wgsl

// The tiles of a product whose columns are channels in groups, GROUP of them to each: those of one range of rows lie side by side.
const TILES_GROUP = (GROUP / WIDTH + SPAN - 1u) / SPAN;
const TILES_C = TILES_GROUP * (CHANNELS / GROUP);

// The group of a tile.
fn group_of(tile: u32) -> u32 {
    return tile % TILES_C / TILES_GROUP;
}

// A Real of channels of its group, counted within the tile: its number in the group; past the group's last where there is none.
fn in_group(tile: u32, column: u32) -> u32 {
    return tile % TILES_GROUP * SPAN + column;
}
