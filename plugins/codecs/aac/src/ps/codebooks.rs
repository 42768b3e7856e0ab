//! The Huffman codes of parametric stereo (ISO/IEC 14496-3, tables 8.B.17 to 8.B.21): the value and the length of each code, in the order
//! of the codes.

#![forbid(unsafe_code)]

use crate::codes::{Code, Codebook};

/// f_huff_iid_def
#[rustfmt::skip]
static F_IID_CODES: [Code; 29] = [
    (0, 1), (1, 3), (-1, 3), (2, 4), (-2, 4), (3, 5), (-3, 5), (-4, 6), (4, 6), (5, 6), (-5, 7), (6, 8),
    (-6, 9), (-7, 10), (7, 11), (8, 13), (-8, 13), (9, 14), (10, 14), (-9, 15), (11, 15), (-10, 16), (-11, 17), (-14, 17),
    (-13, 17), (-12, 17), (12, 17), (13, 18), (14, 18),
];
pub(super) static F_IID: Codebook = Codebook::new(&F_IID_CODES);

/// t_huff_iid_def
#[rustfmt::skip]
static T_IID_CODES: [Code; 29] = [
    (0, 1), (-1, 2), (1, 3), (-2, 4), (2, 5), (-3, 6), (3, 7), (-4, 8), (4, 9), (-5, 10), (5, 11), (-6, 12),
    (6, 13), (7, 14), (-7, 15), (8, 17), (-8, 17), (9, 19), (-14, 19), (-13, 19), (-12, 19), (-11, 20), (-10, 20), (-9, 20),
    (10, 20), (11, 20), (12, 20), (13, 20), (14, 20),
];
pub(super) static T_IID: Codebook = Codebook::new(&T_IID_CODES);

/// f_huff_iid_fine
#[rustfmt::skip]
static F_IID_FINE_CODES: [Code; 61] = [
    (-2, 4), (2, 4), (-1, 3), (1, 3), (-3, 5), (3, 5), (-4, 6), (4, 6), (-5, 7), (5, 7), (-6, 8), (6, 8),
    (7, 9), (10, 11), (-11, 12), (11, 12), (-8, 10), (8, 10), (-21, 17), (21, 17), (-19, 17), (19, 17), (-17, 16), (17, 16),
    (-14, 14), (-12, 13), (12, 13), (14, 14), (-18, 17), (18, 17), (-26, 18), (-25, 18), (-28, 18), (-27, 18), (-15, 15), (-9, 11),
    (9, 11), (15, 15), (-22, 18), (22, 18), (-24, 18), (-23, 18), (25, 18), (26, 18), (23, 18), (24, 18), (-13, 14), (13, 14),
    (29, 18), (30, 18), (27, 18), (28, 18), (-30, 18), (-29, 18), (-20, 18), (20, 18), (-16, 16), (16, 16), (-10, 12), (-7, 10),
    (0, 1),
];
pub(super) static F_IID_FINE: Codebook = Codebook::new(&F_IID_FINE_CODES);

/// t_huff_iid_fine
#[rustfmt::skip]
static T_IID_FINE_CODES: [Code; 61] = [
    (1, 2), (-4, 7), (4, 7), (-3, 6), (3, 6), (5, 8), (-6, 9), (6, 9), (9, 11), (11, 12), (-21, 15), (-20, 15),
    (18, 15), (19, 15), (-13, 13), (-7, 10), (7, 10), (13, 13), (-19, 15), (-18, 15), (-26, 16), (26, 16), (-28, 16), (-27, 16),
    (29, 16), (30, 16), (27, 16), (28, 16), (-30, 16), (-29, 16), (-25, 16), (25, 16), (-24, 16), (24, 16), (-17, 15), (-15, 14),
    (-10, 12), (10, 12), (-8, 11), (8, 11), (15, 14), (17, 15), (-23, 16), (23, 16), (-12, 13), (12, 13), (-14, 14), (14, 14),
    (-22, 16), (22, 16), (-16, 15), (16, 15), (20, 16), (21, 16), (-11, 13), (-9, 12), (-5, 9), (-2, 5), (2, 5), (-1, 3),
    (0, 1),
];
pub(super) static T_IID_FINE: Codebook = Codebook::new(&T_IID_FINE_CODES);

/// f_huff_icc
#[rustfmt::skip]
static F_ICC_CODES: [Code; 15] = [
    (0, 1), (1, 2), (-1, 3), (2, 4), (-2, 5), (3, 6), (-3, 7), (4, 8), (5, 9), (-4, 10), (6, 11), (-5, 12),
    (7, 13), (-6, 14), (-7, 14),
];
pub(super) static F_ICC: Codebook = Codebook::new(&F_ICC_CODES);

/// t_huff_icc
#[rustfmt::skip]
static T_ICC_CODES: [Code; 15] = [
    (0, 1), (1, 2), (-1, 3), (2, 4), (-2, 5), (3, 6), (-3, 7), (4, 8), (-4, 9), (5, 10), (-5, 11), (6, 12),
    (-6, 13), (-7, 14), (7, 14),
];
pub(super) static T_ICC: Codebook = Codebook::new(&T_ICC_CODES);

/// f_huff_ipd
#[rustfmt::skip]
static F_IPD_CODES: [Code; 8] = [
    (1, 3), (4, 4), (5, 4), (3, 4), (6, 4), (2, 4), (7, 4), (0, 1),
];
pub(super) static F_IPD: Codebook = Codebook::new(&F_IPD_CODES);

/// t_huff_ipd
#[rustfmt::skip]
static T_IPD_CODES: [Code; 8] = [
    (5, 4), (4, 5), (3, 5), (2, 4), (6, 4), (1, 3), (7, 3), (0, 1),
];
pub(super) static T_IPD: Codebook = Codebook::new(&T_IPD_CODES);

/// f_huff_opd
#[rustfmt::skip]
static F_OPD_CODES: [Code; 8] = [
    (7, 3), (1, 3), (3, 4), (6, 4), (2, 4), (5, 5), (4, 5), (0, 1),
];
pub(super) static F_OPD: Codebook = Codebook::new(&F_OPD_CODES);

/// t_huff_opd
#[rustfmt::skip]
static T_OPD_CODES: [Code; 8] = [
    (5, 4), (2, 4), (6, 4), (4, 5), (3, 5), (1, 3), (7, 3), (0, 1),
];
pub(super) static T_OPD: Codebook = Codebook::new(&T_OPD_CODES);
