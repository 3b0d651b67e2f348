//! What is served: offers, images, licences, and who is admitted to what. Modules stand in the order in which they may import: each
//! only from those below it.

mod loader;

mod settings_source;

mod firmware;
pub mod reach;

mod picture;

mod offers;

mod tracked_folder;

mod judge;
mod shelf;

mod fitness;
mod folder_names;

mod image;
mod offer_file;

mod version_folder;

mod address_set;
mod sums;

pub mod licenses;

pub mod settling;

mod sorted_map;

pub use image::{FitImage, Image, folder_name, split_image_path};
pub use loader::{Loader, load_once};
pub use offers::{Choice, Offer, Reason};
pub use picture::{Catalog, ImageSource, NoImage};
pub use tracked_folder::Unsettled;
pub use version_folder::IMAGE_NAMES;
