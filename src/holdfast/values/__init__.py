"""The words of the field as frozen values. Nothing here touches a disk, a network or a clock."""
