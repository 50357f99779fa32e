// What a lane of a subgroup gives to the others.
//
// Rows of `of_row` lanes next to one another share the subgroup, and each lane gets what the lane at `place` of its own row has.
// Both numbers are known when loops are unrolled. For eight lanes drivers have an instruction that does it; of other sizes they
// look each lane up, so there every lane's value is spread by itself, and those that cannot be meant fall away.
fn given(own: f32, row: u32, place: u32, of_row: u32) -> f32 {
    if of_row == 1u {
        return own;
    }
    if LANES == 8u {
        return subgroupShuffle(own, row * of_row + place);
    }
    var found = subgroupBroadcast(own, 0u);
    found = select(found, subgroupBroadcast(own, 1u), gives(1u, row, place, of_row));
    found = select(found, subgroupBroadcast(own, 2u), gives(2u, row, place, of_row));
    found = select(found, subgroupBroadcast(own, 3u), gives(3u, row, place, of_row));
    if LANES > 8u {
        found = select(found, subgroupBroadcast(own, 4u), gives(4u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 5u), gives(5u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 6u), gives(6u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 7u), gives(7u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 8u), gives(8u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 9u), gives(9u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 10u), gives(10u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 11u), gives(11u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 12u), gives(12u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 13u), gives(13u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 14u), gives(14u, row, place, of_row));
        found = select(found, subgroupBroadcast(own, 15u), gives(15u, row, place, of_row));
    }
    return found;
}

fn gives(lane: u32, row: u32, place: u32, of_row: u32) -> bool {
    return lane % of_row == place && lane / of_row == row;
}

// The same of four floats at once.
fn given_four(own: vec4f, row: u32, place: u32, of_row: u32) -> vec4f {
    return vec4f(
        given(own.x, row, place, of_row),
        given(own.y, row, place, of_row),
        given(own.z, row, place, of_row),
        given(own.w, row, place, of_row),
    );
}
