-- Records of EGTS are positions too. They are numbered 131072, 256 times their service and the type
-- of their first subrecord: 131600 has a position (service 2, type 16). The others are as in 0009.
drop index devices.frame_unbatched;
create index frame_unbatched on devices.frame (terminal, id)
    where batch is null and message in (512, 1796, 65544, 65552, 65678, 131600);
