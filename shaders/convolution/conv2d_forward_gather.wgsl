// import shared/convolution.wgsl

// conv2d_forward, as a product through workgroup memory (shared/convolution.wgsl), one number of x at a time. GROUP_OUT is a
// multiple of 4, GROUP_IN need not be.
//
// x      [BATCH, IN_H, IN_W, IN_C]
// kernel [KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

fn number(place: u32, is_inside: bool) -> f32 {
    return select(0.0, x[X_BASE + select(0u, place, is_inside)], is_inside);
}

// One term of four positions.
fn x_term(place: Place, term: u32, end: u32) -> Real {
    let places = place.corners + distance(term);
    let are_inside = place.are_inside & vec4<bool>(term < end);
    return Real(
        number(places.x, are_inside.x),
        number(places.y, are_inside.y),
        number(places.z, are_inside.z),
        number(places.w, are_inside.w),
    );
}

fn a_square(place: Place, term: u32, end: u32) -> Square {
    return Square(
        x_term(place, term, end),
        x_term(place, term + 1u, end),
        x_term(place, term + 2u, end),
        x_term(place, term + 3u, end),
    );
}
