// import shared/convolution.wgsl

// conv2d_forward, as a product through workgroup memory (shared/convolution.wgsl), four channels of x at a time. GROUP_IN and
// GROUP_OUT are multiples of 4.
//
// x      [BATCH, IN_H, IN_W, IN_C]
// kernel [KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

// WIDTH terms of a position: channels of one tap.
fn x_terms(place: u32, is_inside: bool) -> Real {
    return select(Real(), x[X_BASE + select(0u, place / WIDTH, is_inside)], is_inside);
}

fn a_square(place: Place, term: u32, end: u32) -> Square {
    let places = place.corners + distance(term);
    let is_term = term < end;
    return transpose(Square(
        x_terms(places.x, place.are_inside.x && is_term),
        x_terms(places.y, place.are_inside.y && is_term),
        x_terms(places.z, place.are_inside.z && is_term),
        x_terms(places.w, place.are_inside.w && is_term),
    ));
}
