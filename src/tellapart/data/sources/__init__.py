"""Where pictures come from: folders, archives, arrays and manifests, read in place.

The modules::

    names           names of files: quoting them, which may be pictures, labels in them
    base            Member, Listing, Store (a place with files), Source (a catalog's rows)
    folder          FolderStore: a folder tree on disk
    zips            ZipStore: the members of a .zip
    tars            TarStore: the members of a .tar or .tar.gz
    archive_basics  what zip and tar share: safe names, handles, guards
    arrays          ArrayStore: the rows of IDX and NPZ arrays
    idx, npz        reading those two formats
    labeled_arrays  one array of pictures with its labels, checked
    tables          the rows of a CSV, Parquet or JSON Lines file
    columns         which column of a table has the files, which the labels
    lookup          the file that a table means, where its path is not exact
    manifest        a table with path and label -> rows
    tree            the files of a listing as a tree of folders
    parts           training, validation and test parts by the names of folders
    name_labels     labels in the names of files
    part_folders    the folders that are parts, and the class folders in them
    layout          which folder is a class, which a part, which only wraps
    doubts          what may be wrong with the way folders were understood
    groups          groups read from paths
    path_kinds      what a path is, and the store behind it

No module here decodes a picture, or writes into the place it reads.
"""
