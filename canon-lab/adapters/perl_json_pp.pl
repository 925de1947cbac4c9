# JSON::PP, which comes with Perl, with its sorted names: a whole adapter.
use strict; use JSON::PP; $| = 1;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
while (my $line = <STDIN>) {
  my $asked = decode_json $line;
  last if $asked->{cmd} eq 'stop';
  if ($asked->{cmd} eq 'start') { print qq({"name":"JSON::PP","version":"$JSON::PP::VERSION","scheme":"perl-canonical"}\n); next }
  my $text = pack 'H*', $asked->{input};
  my $out = eval { $json->encode($json->decode($text)) };
  print encode_json(defined $out ? {ok => unpack('H*', $out)} : {reject => "$@"}), "\n";
}
