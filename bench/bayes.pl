#!/usr/bin/perl
# SpamAssassin's Bayes alone: learns and judges the messages that stdin names, `spam`, `ham` or `test`, a tab, a path.
# For each tested message a line with its probability; then one with the CPU seconds that these took.
use strict;
use warnings;
use Mail::SpamAssassin;

# Where host names are given out: rules say it, and no other rule is wanted.
my $registries = join '', map { open my $file, '<', $_ or die "$_: $!\n"; local $/; <$file> }
    glob '/usr/share/spamassassin/20_aux_tlds.cf';
my $folder = shift or die "name a folder for its database\n";
my $filter = Mail::SpamAssassin->new({
    dont_copy_prefs => 1, local_tests_only => 1, require_rules => 0, site_rules_filename => $folder,
    rules_filename => $folder, userprefs_filename => "$folder/none", userstate_dir => $folder,
    config_text => join "\n",
        'loadplugin Mail::SpamAssassin::Plugin::Check', 'loadplugin Mail::SpamAssassin::Plugin::Bayes',
        'use_bayes 1', 'bayes_auto_learn 0', 'bayes_auto_expire 0', "bayes_path $folder/bayes",
        'body JUDGED eval:check_bayes(0.00, 1.00)', 'tflags JUDGED learn', 'score JUDGED 0.1', $registries,
});
$filter->init(1);
$filter->init_learner({ wait_for_lock => 1, no_relearn => 1, caller_will_untie => 1 });
my ($began, $taught) = (0, 1);
while (my $line = <STDIN>) {
    chomp $line;
    my ($kind, $path) = split /\t/, $line, 2;
    open my $file, '<:raw', $path or die "$path: $!\n";
    my $text = do { local $/; <$file> };
    close $file;
    if ($kind eq 'test' && $taught) {
        $filter->finish_learner();
        $taught = 0;
        $began = (times)[0] + (times)[1];
    }
    my $message = $filter->parse($text);
    if ($kind eq 'test') {
        my $status = $filter->check($message);
        printf "%.17g\n", $status->{bayes_score} // 0.5;
        $status->finish();
    } else {
        $filter->learn($message, undef, $kind eq 'spam' ? 1 : 0, 0)->finish();
    }
    $message->finish();
}
printf "cpu %.6f\n", (times)[0] + (times)[1] - $began;
