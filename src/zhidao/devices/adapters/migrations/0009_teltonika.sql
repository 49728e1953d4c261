-- Records of Teltonika terminals are positions too. Their frames are numbered 65536 and the codec:
-- 65544 is codec 8, 65552 codec 16, 65678 codec 8 Extended. 512 and 1796 are reports and batches of
-- JT/T 808. Few frames wait to be covered, so that the index is small.
drop index devices.frame_unbatched;
create index frame_unbatched on devices.frame (terminal, id)
    where batch is null and message in (512, 1796, 65544, 65552, 65678);
