// A block of a factor that stays in the registers of a subgroup: BLOCK terms of eight columns of each lane, in two halves.
alias Block = array<array<vec4f, EIGHTS>, BLOCK_EIGHTS>;

const BLOCK = BLOCK_EIGHTS * EIGHTS;
